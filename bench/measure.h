// What every benchmark and every floor shares: CPU time, a process for the other side, one line of
// JSON at the end.
//
// CPU time is the kernel's own clock of a process (user and system, all threads, nanoseconds), so
// what other programs do meanwhile counts for nothing but the caches.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>

namespace kadmesh::bench {

double seconds();      // of the monotonic clock
double cpu_seconds();  // of this process
double allocated();    // bytes that are in use of what malloc has given out

// Where the two sides run. Apart: each on a processor of its own, if there are two. A round trip
// needs that: its sides are two machines in life, and must not take turns on one processor, where
// waking the other costs nothing.
enum class Seats { free, apart };

// A child that serves: `body` gets a function that tells the parent a line, and returns never or
// when it likes. It ends with this object, or with the parent.
class OtherSide {
 public:
  using Say = std::function<void(const std::string&)>;
  explicit OtherSide(const std::function<void(const Say&)>& body, Seats seats = Seats::free);
  ~OtherSide();
  OtherSide(const OtherSide&) = delete;
  OtherSide& operator=(const OtherSide&) = delete;

  // The next line that it says; waits for it.
  std::string line();
  double cpu_seconds() const;

 private:
  pid_t pid_;
  int from_;
};

// Time and CPU of both sides, from construction on.
class Stopwatch {
 public:
  explicit Stopwatch(const OtherSide& other)
      : other_(other),
        start_(seconds()),
        ours_(bench::cpu_seconds()),
        theirs_(other.cpu_seconds()) {}
  double elapsed() const { return seconds() - start_; }
  double ours() const { return bench::cpu_seconds() - ours_; }
  double theirs() const { return other_.cpu_seconds() - theirs_; }
  double both() const { return ours() + theirs(); }

 private:
  const OtherSide& other_;
  double start_, ours_, theirs_;
};

// {"name": value, ...}
void print(std::initializer_list<std::pair<const char*, double>> figures);

// What moved `bytes` while `watch` ran: goodput, and CPU of each side and of both.
void print_transfer(const Stopwatch& watch, std::size_t bytes);
// Calls `trip`, which says how many microseconds it took, `count` times and a tenth as often before
// to get warm; prints the percentiles.
void print_trips(std::size_t count, const std::function<double()>& trip);

// The n-th argument as a number, or `otherwise`.
std::size_t argument(int argc, char** argv, int n, std::size_t otherwise);

// Ends the program with what it could not do.
[[noreturn]] void give_up(const std::string& what);
// A system call's result, which must not be negative.
template <class Number>
Number must(Number result, const char* what) {
  if (result < 0) give_up(what);
  return result;
}

}  // namespace kadmesh::bench
