#include "kadsim/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace kadmesh::kadsim {
namespace {

using Clock = std::chrono::steady_clock;
// Of what a process says on standard error: enough for an assertion and a sanitizer's first lines.
constexpr std::size_t kMostComplaint = std::size_t{16} * 1024;

bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(to, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

[[noreturn]] void serve(const Work& work, int output, int errors) {
  ::dup2(errors, STDERR_FILENO);
  const bool written = write_all(output, work.run());
  // Not exit(): what the parent has not yet flushed is the parent's to write.
  std::fflush(stderr);
  ::_exit(written ? 0 : 1);
}

void close_pipe(std::array<int, 2>& pipe) {
  for (const int end : pipe)
    if (end >= 0) ::close(end);
}

// The last line that is not empty: what an abort prints before the process goes.
std::string last_words(const std::string& text) {
  std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return {};
  const std::size_t start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1,
                     end - (start == std::string::npos ? std::size_t{0} : start + 1) + 1);
}

// Of several lines the one that says most: a failed check, or a sanitizer's finding without the
// process and the address, which differ from one run to the next.
std::string words(const std::string& text) {
  if (const std::size_t at = text.find("check failed"); at != std::string::npos) {
    const std::size_t start = text.rfind('\n', at);
    const std::size_t from = start == std::string::npos ? 0 : start + 1;
    return text.substr(from, text.find('\n', at) - from);
  }
  for (const std::string_view mark : {"ERROR: ", "runtime error: "})
    if (const std::size_t at = text.find(mark); at != std::string::npos)
      return text.substr(at, std::min(text.find('\n', at), text.find(" on address", at)) - at);
  return last_words(text);
}

}  // namespace

Workers::~Workers() {
  for (Running& one : running_) {
    ::kill(one.process, SIGKILL);
    ::waitpid(one.process, nullptr, 0);
    ::close(one.output);
    if (one.errors >= 0) ::close(one.errors);
  }
}

Result<void> Workers::start(Work work) {
  std::array<int, 2> output{-1, -1}, errors{-1, -1};
  // Closed on exec and not inherited by the next: a pipe ends when its own process does.
  pid_t process = -1;
  if (::pipe2(output.data(), O_CLOEXEC) == 0 && ::pipe2(errors.data(), O_CLOEXEC) == 0) {
    std::fflush(nullptr);
    process = ::fork();
  }
  if (process < 0) {
    const int failure = errno;
    close_pipe(output);
    close_pipe(errors);
    return fail(Errc::io, std::string("no process for a run: ") + std::strerror(failure));
  }
  if (process == 0) {
    for (const Running& other : running_) {
      ::close(other.output);
      if (other.errors >= 0) ::close(other.errors);
    }
    ::close(output[0]);
    ::close(errors[0]);
    serve(work, output[1], errors[1]);
  }
  ::close(output[1]);
  ::close(errors[1]);
  for (const int end : {output[0], errors[0]}) ::fcntl(end, F_SETFL, O_NONBLOCK);
  running_.push_back(
      {work.id, process, output[0], errors[0], Clock::now() + limit_, {}, {}, false});
  return {};
}

// Takes what there is; false when the process has closed its output.
bool Workers::read(Running& of) {
  char buffer[65536];
  ssize_t count = 0;
  while (of.errors >= 0 && (count = ::read(of.errors, buffer, sizeof buffer)) > 0)
    if (of.complained.size() < kMostComplaint)
      of.complained.append(buffer, static_cast<std::size_t>(count));
  // An ended one would be ready for ever.
  if (of.errors >= 0 && count == 0) ::close(std::exchange(of.errors, -1));
  while ((count = ::read(of.output, buffer, sizeof buffer)) > 0)
    of.said.append(buffer, static_cast<std::size_t>(count));
  return count < 0 && (errno == EAGAIN || errno == EINTR);
}

Finished Workers::finish(Running of) {
  int status = 0;
  while (::waitpid(of.process, &status, 0) < 0 && errno == EINTR) {
  }
  read(of);
  ::close(of.output);
  if (of.errors >= 0) ::close(of.errors);
  Finished done{of.id, std::move(of.said), {}};
  if (of.late) {
    done.died = "no end within " + std::to_string(limit_.count()) + " s of real time";
  } else if (WIFSIGNALED(status)) {
    done.died = "killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
                ::strsignal(WTERMSIG(status)) + ")";
  } else if (WEXITSTATUS(status) != 0) {
    done.died = "ended with status " + std::to_string(WEXITSTATUS(status));
  }
  if (!done.died.empty() && !of.late)
    if (const std::string last = words(of.complained); !last.empty())
      done.died.append(": ").append(last);
  return done;
}

std::optional<Finished> Workers::wait(std::chrono::milliseconds wait) {
  const auto until = Clock::now() + wait;
  while (!running_.empty()) {
    auto wake = until;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      Running& one = running_[i];
      if (!one.late && Clock::now() >= one.until) {
        one.late = true;
        ::kill(one.process, SIGKILL);
      }
      if (!read(one)) {
        Running done = std::move(one);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
        return finish(std::move(done));
      }
      if (!one.late) wake = std::min(wake, one.until);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
    if (Clock::now() >= until) return std::nullopt;
    std::vector<pollfd> ends;
    for (const Running& one : running_) {
      ends.push_back({one.output, POLLIN, 0});
      ends.push_back({one.errors, POLLIN, 0});
    }
    ::poll(ends.data(), ends.size(),
           static_cast<int>(std::clamp<std::int64_t>(left.count(), 1, 1000)));
  }
  return std::nullopt;
}

}  // namespace kadmesh::kadsim
