// Runs in processes of their own: one that crashes or hangs is a result like another, and takes
// nobody with it.
//
//   idle --start--> running --writes its result, exits 0--> done
//                      |-----dies, or takes too long------> done, with `died` saying how
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace kadmesh::kadsim {

struct Work {
  std::size_t id = 0;
  std::function<std::string()> run;  // in the new process; what it returns comes back
};
struct Finished {
  std::size_t id = 0;
  std::string output;
  std::string died;  // empty, or "killed by signal 6 (Aborted): the end of its last words"
};

class Workers {
 public:
  // `jobs` at once; each at most `limit` of real time.
  Workers(std::size_t jobs, std::chrono::seconds limit) : jobs_(jobs), limit_(limit) {}
  ~Workers();  // ends those that still run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool full() const { return running_.size() >= jobs_; }
  bool idle() const { return running_.empty(); }
  // Not when full. Errc::io when the system gives no process.
  Result<void> start(Work work);
  // The next that is done, waiting for it as long as `wait`; none when nobody runs or none came.
  std::optional<Finished> wait(std::chrono::milliseconds wait);

 private:
  struct Running {
    std::size_t id;
    pid_t process;
    int output, errors;  // read ends; -1 once ended
    std::chrono::steady_clock::time_point until;
    std::string said, complained;
    bool late = false;
  };

  bool read(Running& of);
  Finished finish(Running of);

  std::size_t jobs_;
  std::chrono::seconds limit_;
  std::vector<Running> running_;
};

}  // namespace kadmesh::kadsim
