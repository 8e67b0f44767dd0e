// The twelve bytes before everything that Yamux sends (hashicorp/yamux spec.md, libp2p specs
// yamux/README.md). All numbers big endian.
//
//   0        1       2         4                8                12
//   | version | type  |  flags  |   stream id    |    length      |
//
//   type            length                                  stream id
//   0 data          bytes of body that follow               the stream
//   1 window update credit added; with RST an error code    the stream
//   2 ping          opaque, echoed by the answer            0
//   3 go away       why: 0 normal, 1 protocol, 2 internal   0
//
// Only data has a body. A header is judged whole before anything is made for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "transport/stream_id.h"

namespace kadmesh {

inline constexpr std::size_t kYamuxHeaderSize = 12;
inline constexpr std::uint8_t kYamuxVersion = 0;
// What a stream may carry in each direction before any window update; fixed by the protocol.
inline constexpr std::uint32_t kYamuxInitialWindow = 256 * 1024;

enum class YamuxType : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

// Bits this version does not know are ignored, as by every other stack.
namespace yamux_flag {
inline constexpr std::uint16_t kSyn = 1;  // opens a stream; on a ping: a question
inline constexpr std::uint16_t kAck = 2;  // accepts a stream; on a ping: the answer
inline constexpr std::uint16_t kFin = 4;  // the sender's half is complete
inline constexpr std::uint16_t kRst = 8;  // both halves end at once
}  // namespace yamux_flag

// Reasons of a go away.
namespace yamux_reason {
inline constexpr std::uint32_t kNormal = 0;
inline constexpr std::uint32_t kProtocol = 1;
inline constexpr std::uint32_t kInternal = 2;
}  // namespace yamux_reason

struct YamuxHeader {
  YamuxType type{};
  std::uint16_t flags = 0;
  StreamId stream = 0;
  std::uint32_t length = 0;

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  friend bool operator==(const YamuxHeader&, const YamuxHeader&) = default;
};

std::array<std::uint8_t, kYamuxHeaderSize> encode(const YamuxHeader& header);

// Errc::protocol for what no header can be, whoever sends it and whenever: an unknown version or
// type, a stream frame on id 0, a session frame on any other, a ping that is not one of question
// and answer.
Result<YamuxHeader> decode_yamux_header(std::span<const std::uint8_t, kYamuxHeaderSize> bytes);

}  // namespace kadmesh
