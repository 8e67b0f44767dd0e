#include "measure.h"

#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace kadmesh::bench {
namespace {

double read_clock(clockid_t clock) {
  timespec time{};
  must(clock_gettime(clock, &time), "clock_gettime");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void write_line(int to, const std::string& text) {
  const std::string line = text + '\n';
  must(write(to, line.data(), line.size()), "write to the parent");
}

void sit_on(std::size_t processor) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) return;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  must(sched_setaffinity(0, sizeof only, &only), "sched_setaffinity");
}

}  // namespace

double seconds() { return read_clock(CLOCK_MONOTONIC); }
double cpu_seconds() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
double allocated() { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); }

OtherSide::OtherSide(const std::function<void(const Say&)>& body, Seats seats) {
  std::array<int, 2> ends{};
  must(pipe(ends.data()), "pipe");
  pid_ = must(fork(), "fork");
  from_ = ends[0];
  if (seats == Seats::apart) sit_on(pid_ > 0 ? 0 : 1);
  if (pid_ > 0) {
    close(ends[1]);
    return;
  }
  close(ends[0]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  body([to = ends[1]](const std::string& text) { write_line(to, text); });
  _exit(0);
}

OtherSide::~OtherSide() {
  close(from_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string OtherSide::line() {
  std::string text;
  char byte = 0;
  while (must(read(from_, &byte, 1), "read from the other side") == 1 && byte != '\n') text += byte;
  if (text.empty()) give_up("the other side ended");
  return text;
}

double OtherSide::cpu_seconds() const {
  clockid_t clock{};
  if (clock_getcpuclockid(pid_, &clock) != 0) give_up("the other side has no clock");
  return read_clock(clock);
}

void print(std::initializer_list<std::pair<const char*, double>> figures) {
  const char* before = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.9g", before, name, value);
    before = ", ";
  }
  std::printf("}\n");
  std::fflush(stdout);
}

void print_transfer(const Stopwatch& watch, std::size_t bytes) {
  const double gigabytes = static_cast<double>(bytes) / 1e9;
  print({{"mb_per_s", gigabytes * 1000 / watch.elapsed()},
         {"cpu_s_per_gb", watch.both() / gigabytes},
         {"sender_s_per_gb", watch.ours() / gigabytes},
         {"receiver_s_per_gb", watch.theirs() / gigabytes}});
}

void print_trips(std::size_t count, const std::function<double()>& trip) {
  for (std::size_t i = 0; i < count / 10 + 1; ++i) trip();
  std::vector<double> times(count);
  std::ranges::generate(times, trip);
  std::ranges::sort(times);
  print({{"p50_us", times[count / 2]}, {"p99_us", times[count * 99 / 100]}});
}

std::size_t argument(int argc, char** argv, int n, std::size_t otherwise) {
  return n < argc ? std::strtoull(argv[n], nullptr, 10) : otherwise;
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "%s (%s)\n", what.c_str(), std::strerror(errno));
  std::_Exit(1);
}

}  // namespace kadmesh::bench
