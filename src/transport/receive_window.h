// How much the peer may send on one stream (libp2p specs, yamux/README.md, "Flow control").
//
//   |<------------------------ size ------------------------>|
//   |  consumed, not yet    |  waiting for the  |  left: the peer may
//   |  granted again        |  owner            |  still send it
//
// Rules:
//   - What the peer claims is judged against `left` by the header, before a byte is kept.
//   - Credit goes back only for bytes that the owner has consumed, in portions of half a window at
//     least: an owner that pauses stops its peer, and the window updates are few.
//   - A window that was used up in less than kTuneRtts round trips limits the peer, not the path,
//     and doubles, up to most_size and while the session has memory left. Only bytes that came
//     since the last grant count: what piled up while the owner paused says nothing about the path.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "transport/yamux_frame.h"

namespace kadmesh {

class ReceiveWindow {
 public:
  static constexpr int kTuneRtts = 4;
  // Stands in for shorter (or unknown) round trips: between processes on one machine the ping takes
  // less than the time in which either side is scheduled again, and would stop growth too early.
  static constexpr Duration kLeastRtt = 1ms;

  explicit ReceiveWindow(Time start) : granted_at_(start) {}

  std::uint32_t size() const { return size_; }
  std::uint32_t left() const { return left_; }
  // By how much this window exceeds the initial one: its share of the session's growth.
  std::uint32_t growth() const { return size_ - kYamuxInitialWindow; }

  // `count` bytes came; count <= left(), which the caller has judged.
  void arrived(std::uint32_t count);

  // The credit to send now, or 0. `waiting` are the bytes that came and were not consumed;
  // `memory` is what the session still allows windows to grow by, and is drawn from.
  std::uint32_t replenish(Time now, std::size_t waiting, Duration rtt, std::uint32_t most_size,
                          std::size_t& memory);

 private:
  bool limits_the_peer(Time now, Duration rtt) const;
  void grow(std::uint32_t most_size, std::size_t& memory);

  std::uint32_t size_ = kYamuxInitialWindow;
  std::uint32_t left_ = kYamuxInitialWindow;
  std::uint64_t arrived_ = 0;  // since granted_at_
  Time granted_at_;
};

}  // namespace kadmesh
