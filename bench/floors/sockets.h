// Plain TCP on the loopback interface, for the floors.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "../measure.h"

namespace kadmesh::bench {

inline sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return at;
}

inline void no_delay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct Listener {
  int socket;
  int port;
};

inline Listener listen_anywhere() {
  const int socket = must(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  must(bind(socket, reinterpret_cast<sockaddr*>(&at), size), "bind");
  must(listen(socket, SOMAXCONN), "listen");
  must(getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  return {socket, ntohs(at.sin_port)};
}

inline int accept_one(int listener) {
  const int socket = must(accept(listener, nullptr, nullptr), "accept");
  no_delay(socket);
  return socket;
}

inline int connect_to(int port) {
  const int socket = must(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  const sockaddr_in at = loopback(port);
  must(connect(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at), "connect");
  no_delay(socket);
  return socket;
}

// False at the end of the stream.
inline bool read_whole(int from, unsigned char* to, std::size_t size) {
  while (size > 0) {
    const auto count = static_cast<std::size_t>(must(read(from, to, size), "read"));
    if (count == 0) return false;
    to += count;
    size -= count;
  }
  return true;
}

inline void write_whole(int to, const unsigned char* from, std::size_t size) {
  while (size > 0) {
    const auto count = static_cast<std::size_t>(must(write(to, from, size), "write"));
    from += count;
    size -= count;
  }
}

}  // namespace kadmesh::bench
