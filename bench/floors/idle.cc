// usage: idle [COUNT]
// The floor of being idle: COUNT encrypted connections on which the caller asks for a sign of life
// every 30 s, which is one to the other side, too: it needs to ask nothing, as in Yamux sessions of
// ours. A bare epoll loop; says once all are there, then on each line of input the CPU time that
// the accepting side has used.
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "sockets.h"

namespace kadmesh::bench {
namespace {

constexpr double kInterval = 30;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kTag = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr std::size_t kMessage = 2 + kHeader + kTag;

struct Connection {
  int socket;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// One side: answers what it is asked, and asks on what it is to watch over.
class Loop {
 public:
  Loop()
      : poll_(must(epoll_create1(0), "epoll")),
        timer_(must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timer")) {
    watch(timer_, nullptr);
  }

  void add(int socket) {
    connections_.push_back({socket});
    watch(socket, &connections_.back());
  }
  // The last that was added.
  void keep_alive() {
    due_.push_back({seconds(), &connections_.back()});
    if (due_.size() == 1) arm();
  }

  void run_once(int timeout_ms) {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(poll_, events.data(), events.size(), timeout_ms);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      connection ? on_readable(*connection) : on_timer();
    }
  }

 private:
  struct Due {
    double at;
    Connection* connection;
  };

  void watch(int file, Connection* connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    must(epoll_ctl(poll_, EPOLL_CTL_ADD, file, &event), "epoll_ctl");
  }

  // All wait equally long, so the order of due_ never changes.
  void on_timer() {
    std::uint64_t ticks = 0;
    if (read(timer_, &ticks, sizeof ticks) < 0) return;
    while (due_.front().at <= seconds()) {
      send(*due_.front().connection, 1);
      due_.push_back({due_.front().at + kInterval, due_.front().connection});
      due_.pop_front();
    }
    arm();
  }

  void arm() {
    const double at = due_.front().at;
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(at);
    when.it_value.tv_nsec =
        static_cast<long>((at - static_cast<double>(when.it_value.tv_sec)) * 1e9) + 1;
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  }

  void on_readable(Connection& connection) {
    std::array<unsigned char, 4 * kMessage> in;
    const auto size = must(read(connection.socket, in.data(), in.size()), "read");
    for (std::size_t at = 0; at + kMessage <= static_cast<std::size_t>(size); at += kMessage)
      take(connection, in.data() + at + 2);
  }

  void take(Connection& connection, const unsigned char* sealed) {
    std::array<unsigned char, kHeader> header;
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            header.data(), nullptr, nullptr, sealed, kHeader + kTag, nullptr, 0,
            nonce(connection.received).data(), key_.data()) != 0)
      give_up("it does not decrypt");
    if (header[1] == 1) send(connection, 2);
  }

  void send(Connection& connection, unsigned char what) {
    const std::array<unsigned char, kHeader> header{0, what};
    std::array<unsigned char, kMessage> out{0, kHeader + kTag};
    crypto_aead_chacha20poly1305_ietf_encrypt(out.data() + 2, nullptr, header.data(), kHeader,
                                              nullptr, 0, nullptr, nonce(connection.sent).data(),
                                              key_.data());
    write_whole(connection.socket, out.data(), out.size());
  }

  static std::array<unsigned char, 12> nonce(std::uint64_t& count) {
    std::array<unsigned char, 12> bytes{};
    std::memcpy(bytes.data() + 4, &count, sizeof count);
    ++count;
    return bytes;
  }

  int poll_, timer_;
  std::array<unsigned char, 32> key_{1, 2, 3};
  std::deque<Connection> connections_;
  std::deque<Due> due_;
};

void raise_limits() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void serve(const OtherSide::Say& say, std::size_t count) {
  raise_limits();
  const Listener listener = listen_anywhere();
  say(std::to_string(listener.port));
  Loop loop;
  for (std::size_t i = 0; i < count; ++i) {
    loop.add(accept_one(listener.socket));
    loop.run_once(0);
  }
  say("all");
  for (;;) loop.run_once(-1);
}

int run(std::size_t count) {
  raise_limits();
  OtherSide other([count](const OtherSide::Say& say) { serve(say, count); });
  const int port = std::stoi(other.line());
  OtherSide callers([port, count](const OtherSide::Say& say) {
    raise_limits();
    Loop loop;
    for (std::size_t i = 0; i < count; ++i) {
      loop.add(connect_to(port));
      loop.keep_alive();
      loop.run_once(0);
    }
    say("all");
    for (;;) loop.run_once(-1);
  });
  if (other.line() != "all" || callers.line() != "all") give_up("not all came");
  print({{"connections", static_cast<double>(count)}});
  for (int byte; (byte = std::getchar()) != EOF;)
    if (byte == '\n') print({{"cpu_s", other.cpu_seconds()}});
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 1000));
}
