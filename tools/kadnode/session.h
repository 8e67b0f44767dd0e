// One node and the commands that a user gives it: the public Host behind values. Everything runs
// on the thread of the loop.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/capture_file.h"
#include "kad/config.h"
#include "kadnode/answer.h"
#include "kadnode/command.h"
#include "kadnode/log.h"
#include "store/store.h"

namespace asio {
class io_context;
}

namespace kadmesh::kadnode {

// Where Prometheus is answered (driver/metrics_listener.h).
struct MetricsAt {
  Multiaddr at;  // /ip4|ip6/.../tcp/...
  std::vector<std::string> names;
};

struct SessionConfig {
  std::optional<KeyPair> identity;  // a new one unless given
  std::vector<Multiaddr> listen, seeds;
  std::unique_ptr<Store> store;  // in memory unless given
  std::string kad_protocol = "/ipfs/kad/1.0.0";
  KadMode mode = KadMode::server;
  // A publish without subscribers waits for one until its deadline, instead of failing at once: a
  // client that has just started has met nobody yet.
  bool patient = false;
  std::FILE* keylog = nullptr;  // owned by the caller
  std::string data_dir;         // for the ready event
  std::optional<RecordTo> record;
  std::optional<std::filesystem::path> gossip_trace;
  std::optional<MetricsAt> metrics;
  bool backfill = false;  // keeps what topics say, in memory, for those who ask afterwards
};

class Session {
 public:
  using Done = std::function<void(Result<Answer>)>;
  using OnEvent = std::function<void(const Event&)>;

  // Errors as Host::create and MetricsListener::open. `loop` and `log` outlive the session.
  static Result<std::unique_ptr<Session>> open(asio::io_context& loop, SessionConfig config,
                                               Log& log, OnEvent on_event);
  ~Session();

  // Ends in one call of `done`, from the loop, by the command's timeout or else by `limit`.
  void run(Command command, Duration limit, Done done);
  // Answers the questions that need nobody else: network, stats, why, id.
  Result<Answer> ask(const CommandAction& question) const;
  ReadyEvent ready() const;
  // Words that may complete an argument: peers and topics that are known.
  Words known_words() const;
  // As close(), once peers have taken what was written for them, or some seconds have passed.
  void leave();
  // Ends every command (Errc::closed) and closes every connection. What is left of the loop's work
  // is to be run before the session is destroyed.
  void close();

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh::kadnode
