// A peer that holds the key sends messages, changes some, and adds bytes of its own: what is
// opened is what was sealed before the first change, however the bytes are cut.
// Covers: src/transport/noise_cipher.cc src/transport/noise_frame.cc
#include <algorithm>

#include "base/check.h"
#include "opened.h"
#include "transport/noise_cipher.h"

using namespace kadmesh;

namespace {

constexpr AeadKey kKey{1, 2, 3};
constexpr std::size_t kMostOps = 16;  // some 1 MB of wire, byte by byte at worst

std::uint8_t take(ByteView& in) {
  if (in.empty()) return 0;
  const std::uint8_t byte = in.front();
  in = in.subspan(1);
  return byte;
}

struct Wire {
  Bytes bytes;
  Bytes plain;        // what must come out
  bool sound = true;  // nothing was changed so far
};

void add_message(Wire& wire, NoiseSealer& sealer, std::size_t size, std::uint8_t fill) {
  const Bytes plain(size, fill);
  KAD_CHECK(sealer.seal(plain, wire.bytes));
  if (wire.sound) append(wire.plain, plain);
}

// Up to the longest message and a little of the next, whose body another key has sealed, or raw.
Wire build(ByteView script) {
  Wire wire;
  NoiseSealer ours{NoiseKey(kKey)}, stranger{NoiseKey(AeadKey{9})};
  while (!script.empty()) {
    const std::uint8_t op = take(script);
    if (op < 64) {
      add_message(wire, ours, op, op);
    } else if (op < 128) {
      add_message(wire, ours, std::size_t{op - 64U} * 1100, op);
    } else if (op < 192) {
      KAD_CHECK(stranger.seal(Bytes(op - 127U), wire.bytes));
      wire.sound = false;
    } else {
      append(wire.bytes, Bytes(op - 191U, take(script)));
      wire.sound = false;
    }
  }
  return wire;
}

Opened open(ByteView wire, std::size_t step) {
  return open_in_pieces(NoiseOpener(NoiseKey(kKey)), wire, step);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Wire wire = build(ByteView(data + 2, std::min(size - 2, kMostOps)));
  const std::size_t step = 1 + (std::size_t{data[0]} << 8 | data[1]);
  const Opened whole = open(wire.bytes, std::max<std::size_t>(wire.bytes.size(), 1));
  KAD_CHECK(whole == open(wire.bytes, step));
  KAD_CHECK(equal(whole.plain, wire.plain));
  KAD_CHECK(!wire.sound || !whole.error);
  return 0;
}
