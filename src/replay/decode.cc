#include "replay/decode.h"

namespace kadmesh::replay {
namespace {

// What stands for a value that could not be read.
const PeerId& nobody() {
  static const PeerId id = PeerId::of_key(ByteView());
  return id;
}

}  // namespace

std::uint64_t Decoder::number() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const std::uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    if (shift == 63 && byte > 1) break;
    number |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      if (byte == 0 && shift > 0) break;  // not the shortest
      return number;
    }
  }
  fail();
  return 0;
}

std::int64_t Decoder::signed_number() {
  const std::uint64_t bits = number();
  return static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
}

std::uint64_t Decoder::at_most(std::uint64_t most) {
  const std::uint64_t read = number();
  if (read <= most) return read;
  fail();
  return 0;
}

ByteView Decoder::take(std::size_t count) {
  if (count > rest_.size()) {
    fail();
    return {};
  }
  const ByteView taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

PeerId Decoder::read(std::type_identity<PeerId>) {
  const auto peer = PeerId::from_bytes(bytes());
  if (peer) return *peer;
  fail();
  return nobody();
}

Multiaddr Decoder::read(std::type_identity<Multiaddr>) {
  auto addr = Multiaddr::from_bytes(bytes());
  if (addr) return *std::move(addr);
  fail();
  return Multiaddr::tcp(Endpoint());
}

IpPrefix Decoder::read(std::type_identity<IpPrefix>) {
  const std::string_view text = as_text(bytes());
  const auto prefix = IpPrefix::from_text(text);
  if (prefix && prefix->text() == text) return *prefix;
  fail();
  return loopback_prefixes().front();
}

Validators Decoder::read(std::type_identity<Validators>) {
  Validators validators;
  const std::uint64_t count = at_most(rest_.size());
  for (std::uint64_t i = 0; i < count && ok(); ++i) {
    std::string space = value<std::string>();
    auto code = validator(number());
    const bool in_order = validators.all().empty() || validators.all().rbegin()->first < space;
    if (!code || !in_order) fail();
    validators.set(std::move(space), std::move(code));
  }
  return ok() ? validators : Validators();
}

MessageIdFunction Decoder::read(std::type_identity<MessageIdFunction>) {
  MessageIdFunction function = message_id_function(number());
  if (!function) fail();
  return function;
}

}  // namespace kadmesh::replay
