// A network whose hosts have processes that only write down what they are told, and when.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "sim/network.h"
#include "sim/trace.h"

namespace kadmesh {

struct Wires : NetworkUser {
  static constexpr std::uint16_t kPort = 4001;

  struct Socket {
    HostId host{};
    SocketId id{};
    Endpoint local{}, remote{};
    std::string state = "dialing";
    Time at{};  // of the last change of state
    Bytes got{};
    std::vector<std::pair<Time, std::size_t>> pieces{};
    std::size_t written = 0;
    std::vector<Time> writes{};
    std::string error{};
  };

  explicit Wires(LinkConfig link = constant(10ms), std::size_t hosts = 2, std::uint64_t seed = 1,
                 AddressPlan plan = {})
      : network(seed, std::move(link), plan, calendar, *this) {
    for (std::size_t i = 0; i < hosts; ++i) add({});
  }

  static LinkConfig constant(Duration latency) {
    LinkConfig link;
    link.latency = PairLatency{Always{latency}};
    return link;
  }

  HostId add(const HostConfig& config) {
    const HostId host = network.add_host(config);
    network.listen(host, kPort);
    return host;
  }

  // --- verbs: sockets are numbered from 0
  std::size_t dial(HostId from, HostId to) { return dial_to(from, network.address(to, kPort)); }
  std::size_t dial_to(HostId from, const Endpoint& to, std::uint16_t local_port = 0) {
    sockets.push_back({.host = from, .remote = to});
    const std::size_t token = sockets.size() - 1;
    const SocketId id = network.dial(from, token, to, local_port);
    sockets[token].id = id;
    return token;
  }
  // Connected; the acceptor's number is one more.
  std::size_t connect(HostId from, HostId to) {
    const std::size_t dialer = dial(from, to);
    run(1s);
    REQUIRE(state(dialer) == "open");
    REQUIRE(sockets.back().state == "open");
    return dialer;
  }
  std::size_t write(std::size_t socket, std::size_t count) {
    Bytes bytes(count);
    for (auto& byte : bytes) byte = next_byte[socket]++;
    const std::uint64_t digest = digest_of(bytes);
    return network.write(sockets[socket].id, std::move(bytes), digest);
  }
  void read(std::size_t socket, bool wanted) { network.read(sockets[socket].id, wanted); }
  void close(std::size_t socket, bool abort = false) { network.close(sockets[socket].id, abort); }
  void run(Duration time) {
    const Time limit = after(calendar.now(), time);
    while (auto event = calendar.pop(limit)) network.handle(*event);
  }

  // --- questions
  const std::string& state(std::size_t socket) const { return sockets.at(socket).state; }
  Duration since(std::size_t socket, Time start) const { return sockets.at(socket).at - start; }
  std::size_t got(std::size_t socket) const { return sockets.at(socket).got.size(); }
  bool in_order(std::size_t socket) const {
    std::uint8_t expected = 0;
    for (const std::uint8_t byte : sockets.at(socket).got)
      if (byte != expected++) return false;
    return true;
  }
  Time now() const { return calendar.now(); }

  // --- NetworkUser
  bool awake(HostId) const override { return true; }
  void dialed(HostId, SocketToken token, const Endpoint& local) override {
    sockets[token].local = local;
    become(token, "open");
  }
  void dial_failed(HostId, SocketToken token, const Error& cause) override {
    become(token, "failed");
    sockets[token].error = name(cause.code);
  }
  void accepted(HostId host, SocketId id, const Endpoint& local, const Endpoint& remote) override {
    sockets.push_back({.host = host, .id = id, .local = local, .remote = remote});
    network.adopt(id, sockets.size() - 1);
    become(sockets.size() - 1, "open");
  }
  void bytes(HostId, SocketToken token, ByteView bytes, std::uint64_t digest) override {
    if (digest != 0) CHECK(digest == digest_of(bytes));
    digests += digest != 0 ? 1 : 0;
    append(sockets[token].got, bytes);
    sockets[token].pieces.emplace_back(now(), bytes.size());
  }
  void written(HostId, SocketToken token, std::size_t count) override {
    sockets[token].written += count;
    sockets[token].writes.push_back(now());
  }
  void closed(HostId, SocketToken token, const Error& cause) override {
    become(token, "closed");
    sockets[token].error = name(cause.code);
  }
  void renumbered(HostId, SocketToken token, SocketId id) override { sockets[token].id = id; }

  void become(std::size_t socket, const char* state) {
    sockets[socket].state = state;
    sockets[socket].at = now();
  }

  Calendar calendar{Time(1h)};
  Network network;
  std::vector<Socket> sockets;
  std::map<std::size_t, std::uint8_t> next_byte;
  std::size_t digests = 0;  // that came with just the bytes they are of
};

}  // namespace kadmesh
