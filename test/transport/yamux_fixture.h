// A session under test: two of them connected to each other, or one against a peer that the test
// plays frame by frame.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "transport/yamux.h"

namespace kadmesh {

using YamuxEvents = std::vector<YamuxSession::Event>;

inline YamuxEvents poll_all(YamuxSession& session) {
  YamuxEvents events;
  while (auto event = session.poll()) events.push_back(*std::move(event));
  return events;
}

template <class T>
bool has(const YamuxEvents& events, const T& event) {
  for (const auto& each : events)
    if (each == YamuxSession::Event(event)) return true;
  return false;
}

template <class T>
std::size_t count_of(const YamuxEvents& events) {
  std::size_t count = 0;
  for (const auto& each : events) count += std::size_t{std::holds_alternative<T>(each)};
  return count;
}

inline bool quiescent(const YamuxSession& session) {
  return session.streams() == 0 && session.bytes_received() == 0 && session.bytes_queued() == 0;
}

// Without pings, so that a test hears only what it asked for.
inline YamuxConfig silent() {
  YamuxConfig config;
  config.ping_interval = Duration::zero();
  return config;
}

// The test is the initiator: it sends headers and bodies, and hears what the session answers.
class YamuxScript {
 public:
  explicit YamuxScript(const YamuxConfig& config = silent(), Role role = Role::responder)
      : session(role, config, now) {}

  Result<void> sends_bytes(ByteView bytes) { return session.on_bytes(now, bytes); }
  Result<void> sends(const YamuxHeader& header, ByteView body = {}) {
    Bytes bytes;
    append(bytes, encode(header));
    append(bytes, body);
    return sends_bytes(bytes);
  }
  Result<void> opens(StreamId id) {
    return sends({YamuxType::window_update, yamux_flag::kSyn, id, 0});
  }
  Result<void> writes(StreamId id, ByteView body, std::uint16_t flags = 0) {
    return sends({YamuxType::data, flags, id, static_cast<std::uint32_t>(body.size())}, body);
  }
  Result<void> grants(StreamId id, std::uint32_t credit) {
    return sends({YamuxType::window_update, 0, id, credit});
  }
  Result<void> finishes(StreamId id) {
    return sends({YamuxType::window_update, yamux_flag::kFin, id, 0});
  }
  Result<void> resets(StreamId id, std::uint32_t code = 0) {
    return sends({YamuxType::window_update, yamux_flag::kRst, id, code});
  }
  Result<void> pings(std::uint32_t value) {
    return sends({YamuxType::ping, yamux_flag::kSyn, 0, value});
  }

  // Everything that the session has to say, without bodies.
  std::vector<YamuxHeader> hears(std::size_t limit = 1 << 24) {
    Bytes bytes;
    session.take_output(bytes, limit);
    std::vector<YamuxHeader> headers;
    for (ByteView rest(bytes); !rest.empty();) {
      headers.push_back(*decode_yamux_header(rest.first<kYamuxHeaderSize>()));
      const bool body = headers.back().type == YamuxType::data;
      rest = rest.subspan(kYamuxHeaderSize + (body ? headers.back().length : 0));
    }
    return headers;
  }

  YamuxEvents events() { return poll_all(session); }

  std::string reads(StreamId id) {
    const std::string text(as_text(session.readable(id)));
    session.consumed(now, id, text.size());
    return text;
  }

  Time now{1h};
  YamuxSession session;

 private:
};

// Two sessions with a pipe between them that carries what they have to say, at once.
class YamuxPair {
 public:
  explicit YamuxPair(const YamuxConfig& config = silent())
      : us(Role::initiator, config, now), them(Role::responder, config, now) {}

  void exchange() {
    while (carry(us, them) || carry(them, us)) continue;
  }
  bool carry(YamuxSession& from, YamuxSession& to, std::size_t limit = 65'519) {
    Bytes bytes;
    if (from.take_output(bytes, limit) == 0) return false;
    passed += bytes.size();
    return to.on_bytes(now, bytes).has_value();
  }
  // A stream that we opened and they know of.
  StreamId stream() {
    const StreamId id = *us.open();
    exchange();
    poll_all(them);
    return id;
  }
  std::string they_read(StreamId id) {
    const std::string text(as_text(them.readable(id)));
    them.consumed(now, id, text.size());
    return text;
  }

  Time now{1h};
  std::size_t passed = 0;
  YamuxSession us;
  YamuxSession them;

 private:
};

}  // namespace kadmesh
