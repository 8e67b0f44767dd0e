// Two connections with nothing between them: what one gives away the other is handed at once, or
// when the test says so.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/connection.h"

namespace kadmesh {

// One end and what it has told its owner.
class ConnectionEnd {
 public:
  struct Options {
    Role role = Role::initiator;
    bool early_muxer = true;
    std::optional<PeerId> expected;
    std::vector<std::string> served{"/echo/1"};
    bool keylog = false;
    Security security = Security::noise;
    bool plain_forms = false;
    std::uint64_t seed = 1;
  };

  explicit ConnectionEnd(const Options& options) : rng_(options.seed), key(KeyPair::make(rng_)) {
    const std::vector<std::string> muxers{std::string(kYamuxProtocol)};
    const auto offered = options.early_muxer ? muxers : std::vector<std::string>{};
    ConnectionSetup setup{
        .id = ConnId{options.seed},
        .role = options.role,
        .expected = options.expected,
        .security = options.security,
        .noise = std::make_shared<NoiseStatic>(make_noise_static(rng_, key, offered)),
        .protocols = std::make_shared<Protocols>(Protocols{options.served, {"/quiet/1"}}),
        .early_muxer = options.early_muxer,
        .open_deadline = now + 10s,
        .stream_timeout = 10s,
        .keylog = options.keylog,
        .plain_forms = options.plain_forms};
    connection = std::make_unique<Connection>(std::move(setup), rng_, now);
  }

  Connection* operator->() const { return connection.get(); }
  Streams& streams() const { return connection->streams(); }
  Connection::Phase phase() const { return connection->phase(); }

  void hear(ByteView bytes) { connection->on_bytes(now, bytes); }
  void poll() {
    while (auto event = connection->poll(now)) events.push_back(*std::move(event));
  }
  // What it gives away, all of it taken by the kernel at once.
  Bytes speak() {
    poll();
    Bytes bytes = connection->take_output(now);
    connection->on_written(now, bytes.size());
    return bytes;
  }
  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> found;
    for (const Streams::Event& event : events) {
      if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
    }
    return found;
  }
  template <class Event>
  Event only() const {
    const auto found = all<Event>();
    REQUIRE(found.size() == 1);
    return found.front();
  }
  std::string read(StreamId id) {
    std::string text(as_text(streams().readable(id)));
    streams().consumed(now, id, text.size());
    return text;
  }

 private:
  Rng rng_;

 public:
  KeyPair key;
  Time now{1h};
  std::unique_ptr<Connection> connection;
  std::vector<Streams::Event> events;
};

class ConnectionPair {
 public:
  ConnectionPair() : ConnectionPair(options(1, Role::initiator), options(2, Role::responder)) {}
  ConnectionPair(const ConnectionEnd::Options& dialer, const ConnectionEnd::Options& listener)
      : us(dialer), them(listener) {}

  static ConnectionEnd::Options options(std::uint64_t seed, Role role) {
    ConnectionEnd::Options made;
    made.seed = seed;
    made.role = role;
    return made;
  }

  // Until both are silent.
  void exchange() {
    for (;;) {
      const Bytes ours = us.speak();
      if (!ours.empty()) them.hear(ours);
      const Bytes theirs = them.speak();
      if (!theirs.empty()) us.hear(theirs);
      if (ours.empty() && theirs.empty()) return;
    }
  }
  void pass(Duration wait) { us.now += wait, them.now += wait; }
  // One of our streams, agreed at both ends.
  StreamId agreed_stream(const std::string& protocol = "/echo/1") {
    const std::vector protocols{protocol};
    const StreamId id = *us.streams().open(protocols, us.now + 10s);
    exchange();
    us.events.clear();
    them.events.clear();
    return id;
  }

  ConnectionEnd us, them;
};

}  // namespace kadmesh
