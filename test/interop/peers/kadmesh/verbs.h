// What each request of PROTOCOL.md does. A verb is a coroutine from the request to its answer's
// fields; it throws Failure to answer `"ok":false`.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "driver/host.h"

namespace kadmesh::peer {

using Json = nlohmann::json;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  explicit Failure(const Error& error) : std::runtime_error(to_string(error)) {}
};

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw Failure(result.error());
  return *std::move(result);
}

// A request and where to act on it.
struct Request {
  Host& host;
  Json fields;

  Duration limit() const { return std::chrono::milliseconds(fields.value("timeout_ms", 10'000)); }
  PeerId peer() const { return value_or_throw(PeerId::from_text(text("peer"))); }
  std::string text(const char* name) const { return fields.at(name).get<std::string>(); }
  std::size_t number(const char* name) const { return fields.at(name).get<std::size_t>(); }
  Bytes hex(const char* name) const { return value_or_throw(from_hex(text(name))); }
};

using Verb = std::function<asio::awaitable<Json>(Request)>;
using Verbs = std::map<std::string, Verb>;

void add_connection_verbs(Verbs& verbs);  // connect … ping
void add_stream_verbs(Verbs& verbs);      // echo … reset
void add_kad_verbs(Verbs& verbs);
void add_ipns_verbs(Verbs& verbs);
void add_gossip_verbs(Verbs& verbs);

// Serves the /test/… protocols.
void serve_test_protocols(Host& host);

// With manual validation: accepts every message after `hold`.
void hold_messages(Host& host, Duration hold);

// One line on standard output.
void say(const Json& line);

asio::awaitable<void> wait(Duration time);

}  // namespace kadmesh::peer
