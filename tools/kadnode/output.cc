#include "kadnode/output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>

namespace kadmesh::kadnode {

Output::Output(asio::io_context& loop, int fd)
    : loop_(loop), fd_(fd), writable_(loop, fd, Readiness::For::writing) {}

bool Output::event(std::string line) {
  if (bytes_ + line.size() > kMostWaiting) return false;
  add(std::move(line));
  return true;
}

void Output::answer(std::string line) { add(std::move(line)); }

void Output::add(std::string line) {
  if (failure_) return;
  line += '\n';
  bytes_ += line.size();
  waiting_.push_back(std::move(line));
  if (!armed_) write_some();
}

void Output::write_some() {
  while (!waiting_.empty() && ready(0ms))
    if (!write_piece()) return;
  if (!waiting_.empty()) arm();
}

void Output::arm() {
  armed_ = true;
  writable_.wait([this] {
    armed_ = false;
    write_some();
    if (waiting_.empty() && on_empty_) on_empty_();
  });
}

bool Output::ready(Duration within) const {
  pollfd about{fd_, POLLOUT, 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(within).count();
  return ::poll(&about, 1, static_cast<int>(ms)) > 0;
}

// A pipe that is ready takes PIPE_BUF bytes without blocking; more could block. False when nobody
// can read it any more.
bool Output::write_piece() {
  const std::string& line = waiting_.front();
  const std::size_t size = std::min<std::size_t>(line.size() - written_, PIPE_BUF);
  const ssize_t count = ::write(fd_, line.data() + written_, size);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (count < 0) {
    break_off(errno);
    return false;
  }
  written_ += static_cast<std::size_t>(count);
  if (written_ < line.size()) return true;
  bytes_ -= line.size();
  written_ = 0;
  waiting_.pop_front();
  return true;
}

// Whoever hears of it may end all that is here: not inside a call of theirs.
void Output::break_off(int error) {
  failure_ = Error{Errc::io, std::strerror(error)};
  waiting_.clear();
  bytes_ = written_ = 0;
  if (on_broken_) asio::post(loop_, std::exchange(on_broken_, nullptr));
}

void Output::flush(Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!waiting_.empty()) {
    const Duration left = end - std::chrono::steady_clock::now();
    if (left <= 0ms || !ready(left) || !write_piece()) return;
  }
}

}  // namespace kadmesh::kadnode
