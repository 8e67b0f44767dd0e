// The bounds of a Yamux session. The defaults are what other stacks tolerate; tests lower them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "transport/yamux_frame.h"

namespace kadmesh {

struct YamuxConfig {
  // Both directions together: rust-yamux ends the connection at the 513th. A stream counts until
  // its owner has been told of its end.
  std::size_t max_streams = 512;
  // Opened by us: leaves the peer room under the same bound.
  std::size_t max_outbound = 400;
  // Opened by the peer and not polled yet; one more is refused with a reset.
  std::size_t max_unaccepted = 256;
  // Opened by us and not acknowledged: go and rust accept no more than this many ahead.
  std::size_t max_unacked = 256;
  // Announced before anything has come from the peer; further ones wait for that. js ends a session
  // on which more than ten streams arrive while it is being set up.
  std::size_t max_early = 8;

  // A window grows to this: 16 MiB at 100 ms are 1.3 Gbit/s.
  std::uint32_t max_window = 16 * 1024 * 1024;
  // By how much all windows together may exceed the initial ones: one of the largest, and some.
  std::size_t window_growth = std::size_t{24} * 1024 * 1024;
  // Bytes received and not consumed, of all streams. Initial windows alone come to 128 MiB, which
  // no peer may make us hold: the stream whose frame would exceed this is reset.
  std::size_t receive_memory = std::size_t{32} * 1024 * 1024;

  // Bytes accepted from a stream's owner and not taken out: what fills two of the largest Noise
  // messages (65,519 bytes with the header), so that one is ready while its owner refills.
  std::size_t send_queue = std::size_t{2} * (65'519 - kYamuxHeaderSize);
  // The same of all streams: only what the peer has granted is accepted, so these wait for the
  // socket alone, and more would only wait longer.
  std::size_t send_memory = std::size_t{1024} * 1024;

  // Of silence, before the peer is asked; go asks as often. Zero: no pings.
  Duration ping_interval = 30s;
  // go gives a pong 10 s; a large transfer over a slow link may hold it up for longer.
  Duration pong_timeout = 20s;
  // From a frame's first byte to its last, or to the next kYamuxTimedPart of it: 1 KiB/s.
  Duration frame_timeout = 64s;
};

// What of a long body must come within frame_timeout. The largest frame of go and rust is shorter;
// js sends as much as the window holds in one.
inline constexpr std::uint32_t kYamuxTimedPart = 64 * 1024;
// The longest that we send while several streams have something to say: short turns.
inline constexpr std::size_t kYamuxFairBody = std::size_t{16} * 1024;
// The longest that we send at all: with its header 64 KiB, the largest that go and js send.
inline constexpr std::size_t kYamuxLongestBody = std::size_t{64} * 1024 - kYamuxHeaderSize;
// A shorter piece does not go into the rest of an output that has something already: the bytes
// travel with the next output, and need one header less.
inline constexpr std::size_t kYamuxLeastPiece = 1024;
// Pongs that wait to be sent; go's backlog. Further questions are not answered.
inline constexpr std::size_t kYamuxMostPongs = 32;
// Resets that wait to be sent before reading must pause (wants_input).
inline constexpr std::size_t kYamuxManyResets = 1024;
// Resets that wait to be sent at all: those, and one for each header in 64 KiB more of input. The
// streams of any further ones are ended here and the peer is not told.
inline constexpr std::size_t kYamuxMostResets = 8192;

}  // namespace kadmesh
