// Covers: src/transport/yamux_frame.cc
#include "base/bytes.h"
#include "base/check.h"
#include "transport/yamux_frame.h"

using namespace kadmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kYamuxHeaderSize) return 0;
  const std::span<const std::uint8_t, kYamuxHeaderSize> bytes(data, kYamuxHeaderSize);
  const auto header = decode_yamux_header(bytes);
  if (header.has_value()) KAD_CHECK(equal(encode(*header), bytes));
  return 0;
}
