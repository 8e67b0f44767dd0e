#include "kadnode/readiness.h"

#include <sys/epoll.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>

#include "base/check.h"

namespace kadmesh::kadnode {

// An epoll set of one, which Asio watches in turn: its flags are ours to change.
struct Readiness::State {
  State(asio::io_context& in, int fd, For purpose)
      : loop(in), set(in, ::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = purpose == For::reading ? EPOLLIN : EPOLLOUT;
    always = ::epoll_ctl(set.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0;
  }

  void fire(std::uint64_t which) {
    if (which == round && waiting) std::exchange(waiting, nullptr)();
  }

  asio::io_context& loop;
  asio::posix::stream_descriptor set;
  bool always;  // epoll does not take it
  std::uint64_t round = 0;
  std::function<void()> waiting;
};

Readiness::Readiness(asio::io_context& loop, int fd, For purpose)
    : state_(std::make_shared<State>(loop, fd, purpose)) {}

Readiness::~Readiness() { cancel(); }

void Readiness::wait(std::function<void()> on_ready) {
  KAD_CHECK(!state_->waiting);
  state_->waiting = std::move(on_ready);
  const auto fire = [state = state_, round = state_->round](const asio::error_code& error = {}) {
    if (!error) state->fire(round);
  };
  if (state_->always) return asio::post(state_->loop, fire);
  state_->set.async_wait(asio::posix::stream_descriptor::wait_read, fire);
}

void Readiness::cancel() {
  ++state_->round;
  state_->waiting = nullptr;
  asio::error_code ignored;
  state_->set.cancel(ignored);
}

}  // namespace kadmesh::kadnode
