// usage: link DELAY_MS
// Two network namespaces, joined by a link on which every packet takes DELAY_MS, one way. Says the
// process id and the two descriptors under /proc that name the namespaces, and their addresses;
// ends with its input. Needs the right to make namespaces and /dev/net/tun.
//
//   left 10.77.0.1 --tun--> queue of packets, each with its time --tun--> right 10.77.0.2
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <vector>

#include "measure.h"

namespace kadmesh::bench {
namespace {

constexpr const char* kLeft = "10.77.0.1";
constexpr const char* kRight = "10.77.0.2";

void set_address(int socket, unsigned long request, ifreq device, const char* text) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  inet_pton(AF_INET, text, &at.sin_addr);
  std::memcpy(&device.ifr_addr, &at, sizeof at);
  must(ioctl(socket, request, &device), text);
}

void bring_up(const char* name, const char* ours, const char* theirs) {
  const int socket = must(::socket(AF_INET, SOCK_DGRAM, 0), "socket");
  ifreq device{};
  std::strncpy(device.ifr_name, name, IFNAMSIZ - 1);
  if (ours) set_address(socket, SIOCSIFADDR, device, ours);
  if (theirs) set_address(socket, SIOCSIFDSTADDR, device, theirs);
  device.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(socket, SIOCSIFFLAGS, &device), "bring a device up");
  close(socket);
}

struct End {
  int space;   // names the namespace
  int device;  // its packets
};

// Makes a namespace, and leaves this process in it.
End make_end(const char* ours, const char* theirs) {
  must(unshare(CLONE_NEWNET), "make a network namespace");
  const int device = must(open("/dev/net/tun", O_RDWR | O_NONBLOCK), "/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, "delayed", IFNAMSIZ - 1);
  must(ioctl(device, TUNSETIFF, &request), "make a tun device");
  bring_up("delayed", ours, theirs);
  bring_up("lo", nullptr, nullptr);
  return {must(open("/proc/self/ns/net", O_RDONLY), "the namespace's name"), device};
}

// One direction.
class Way {
 public:
  Way(int from, int to, double delay) : from_(from), to_(to), delay_(delay) {}

  void take_in() {
    std::array<unsigned char, 65536> packet;
    for (ssize_t size; (size = read(from_, packet.data(), packet.size())) > 0;)
      waiting_.push_back({seconds() + delay_, {packet.data(), packet.data() + size}});
  }

  void let_out() {
    while (!waiting_.empty() && waiting_.front().at <= seconds()) {
      const auto& bytes = waiting_.front().bytes;
      must(write(to_, bytes.data(), bytes.size()), "write a packet");
      waiting_.pop_front();
    }
  }

  double next() const { return waiting_.empty() ? 3600 + seconds() : waiting_.front().at; }

 private:
  struct Packet {
    double at;
    std::vector<unsigned char> bytes;
  };
  int from_, to_;
  double delay_;
  std::deque<Packet> waiting_;
};

int run(double delay) {
  const End left = make_end(kLeft, kRight);
  const End right = make_end(kRight, kLeft);
  std::printf("%d %d %s %d %s\n", getpid(), left.space, kLeft, right.space, kRight);
  std::fflush(stdout);
  Way there(left.device, right.device, delay), back(right.device, left.device, delay);
  std::array<pollfd, 3> files{
      {{left.device, POLLIN, 0}, {right.device, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  while (files[2].revents == 0) {
    const double wait = std::max(0.0, std::min(there.next(), back.next()) - seconds());
    timespec time{static_cast<time_t>(wait), static_cast<long>(std::fmod(wait, 1.0) * 1e9)};
    ppoll(files.data(), files.size(), &time, nullptr);
    there.take_in();
    back.take_in();
    there.let_out();
    back.let_out();
  }
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(static_cast<double>(kadmesh::bench::argument(argc, argv, 1, 50)) /
                             1000);
}
