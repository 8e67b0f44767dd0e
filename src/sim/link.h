// What lies between hosts, and how each host hangs on it.
//
// A connection is two ordered streams of bytes. Modelled: the handshake (a SYN, its answer, the
// acknowledgement; lost ones are sent again after 1 s, 3 s, 7 s, …), latency and jitter, cutting at
// any byte, loss (what is lost comes a retransmission later, and all behind it waits), a window
// (what the reader has not taken stops the writer), the rates of both hosts shared fairly among
// their connections, partitions (what is under way waits, and comes at one of TCP's growing pauses
// after they end), resets, ends that vanish without a word. Not modelled: slow start, congestion
// windows, headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/multiaddr.h"
#include "sim/latency.h"

namespace kadmesh {

struct LinkConfig {
  Latency latency{};
  // Up to so much more, drawn for each segment; order is kept.
  Duration jitter{};
  // Of segments, and of SYNs and their answers: parts per million that are lost.
  std::uint32_t loss_ppm = 0;
  std::uint32_t syn_loss_ppm = 0;
  // 0: a turn's writes arrive together. Otherwise in pieces of 1 to so many bytes, drawn, each with
  // a jitter of its own.
  std::size_t most_segment = 0;
  // Of each direction: bytes written that the other side has not read.
  std::size_t window = std::size_t{1} << 20;
  // What differs between kernels, by luck, in parts per million: a read brings all that is there,
  // up to kReadSize, rather than one segment; the first write after a read is taken at once, all of
  // it or its beginning, and the process learns that in the same turn (driver/pipes.h). 0: never.
  std::uint32_t coalesced_ppm = 0;
  std::uint32_t taken_at_once_ppm = 0;
  // An address that nobody has: refused after a round trip, or no answer at all.
  bool silent_nowhere = false;
};

// Bytes a second; 0: no limit.
struct Rates {
  std::uint64_t up = 0, down = 0;
};

enum class NatId : std::uint32_t {};

struct HostConfig {
  // Without port; none: the address plan's, or behind a NAT the next one of its inner network.
  std::optional<Endpoint> address{};
  std::optional<std::uint32_t> region{};
  Rates rates{};
  // Connections at once, both kinds; 0: no limit. One more SYN gets no answer, one more dial fails.
  std::size_t connections = 0;
  std::optional<NatId> nat{};
};

// Linux: tcp_syn_retries, and the first pause between two.
inline constexpr unsigned kSynRetries = 6;
inline constexpr Duration kSynPause = 1s;
// The least and the greatest pause before data is sent again.
inline constexpr Duration kLeastRetransmit = 200ms, kMostRetransmit = 120s;
// Unanswered for so long, a connection is given up (Linux: tcp_retries2 = 15).
inline constexpr Duration kGiveUp = 924s;
// What is still unsent when an end is closed is flushed for so long (driver/pipes.h).
inline constexpr Duration kFlushTimeout = 5s;
// The most that one input brings of a stream (driver/pipes.h).
inline constexpr std::size_t kReadSize = std::size_t{64} * 1024;

}  // namespace kadmesh
