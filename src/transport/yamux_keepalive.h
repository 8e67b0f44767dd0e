// Whether the other side is still there, and how far away: Yamux pings.
//
//   quiet --nothing heard for `interval`--> asked --pong--> quiet
//                                             |
//                                             +--nothing heard for `timeout`--> dead
//
// Rules:
//   - The first ping goes out at once: windows grow by the round-trip time. A peer that is heard
//     is asked again only when that is kRttAge old.
//   - Pings fall on whole seconds of the clock, so that one wake-up serves many connections.
//   - One ping at a time. A pong that answers no ping, or a second time, breaks the protocol.
//   - Any byte from the peer shows that it lives: a pong may wait behind a large transfer.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace kadmesh {

class YamuxKeepalive {
 public:
  static constexpr Duration kTick = 1s;
  static constexpr Duration kRttAge = 5min;

  // An interval of zero asks nothing, ever.
  YamuxKeepalive(Duration interval, Duration timeout, Time start);

  void heard(Time now) { heard_ = now; }
  // False: nobody asked.
  bool on_pong(Time now, std::uint32_t id);
  // The ping that is due, which the caller must send. None: next_timer() says when to ask again.
  std::optional<std::uint32_t> due(Time now);
  bool dead(Time now) const;
  Time next_timer() const;
  // Smoothed; zero while unknown.
  Duration rtt() const { return rtt_; }

 private:
  Time deadline() const;
  Time quiet_at() const;  // if nothing more is heard

  Duration interval_;
  Duration timeout_;
  Time next_ping_;
  Time heard_;
  bool asked_ = false;
  Time asked_at_;  // last
  std::uint32_t id_ = 0;
  Duration rtt_{};
};

}  // namespace kadmesh
