#include "transport/yamux_frame.h"

#include <string>

namespace kadmesh {
namespace {

void put32(std::span<std::uint8_t, 4> out, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::uint32_t get32(std::span<const std::uint8_t, 4> in) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : in) value = value << 8 | byte;
  return value;
}

Result<void> judge_ping(const YamuxHeader& header) {
  if (header.has(yamux_flag::kSyn) == header.has(yamux_flag::kAck))
    return fail(Errc::protocol, "yamux: a ping is either a question or an answer");
  return {};
}

Result<void> judge(const YamuxHeader& header) {
  const bool for_session = header.type == YamuxType::ping || header.type == YamuxType::go_away;
  if (for_session != (header.stream == 0))
    return fail(Errc::protocol,
                "yamux: frame on the wrong stream id " + std::to_string(header.stream));
  return header.type == YamuxType::ping ? judge_ping(header) : Result<void>{};
}

}  // namespace

std::array<std::uint8_t, kYamuxHeaderSize> encode(const YamuxHeader& header) {
  std::array<std::uint8_t, kYamuxHeaderSize> bytes{};
  const std::span<std::uint8_t, kYamuxHeaderSize> out(bytes);
  out[0] = kYamuxVersion;
  out[1] = static_cast<std::uint8_t>(header.type);
  out[2] = static_cast<std::uint8_t>(header.flags >> 8);
  out[3] = static_cast<std::uint8_t>(header.flags & 0xff);
  put32(out.subspan<4, 4>(), header.stream);
  put32(out.subspan<8, 4>(), header.length);
  return bytes;
}

Result<YamuxHeader> decode_yamux_header(std::span<const std::uint8_t, kYamuxHeaderSize> bytes) {
  if (bytes[0] != kYamuxVersion)
    return fail(Errc::protocol, "yamux: unknown version " + std::to_string(bytes[0]));
  if (bytes[1] > static_cast<std::uint8_t>(YamuxType::go_away))
    return fail(Errc::protocol, "yamux: unknown frame type " + std::to_string(bytes[1]));
  YamuxHeader header;
  header.type = static_cast<YamuxType>(bytes[1]);
  header.flags = static_cast<std::uint16_t>(bytes[2] << 8 | bytes[3]);
  header.stream = get32(bytes.subspan<4, 4>());
  header.length = get32(bytes.subspan<8, 4>());
  RETURN_IF_ERROR(judge(header));
  return header;
}

}  // namespace kadmesh
