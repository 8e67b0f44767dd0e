#include "transport/handshake_message.h"

#include <algorithm>
#include <utility>

#include "transport/noise_cipher.h"

namespace kadmesh {
namespace {

std::size_t body_size(ByteView prefix) { return std::size_t{prefix[0]} << 8 | prefix[1]; }

// What a message may measure: message 1 has no payload, the others have one.
struct Sizes {
  std::size_t least;
  std::size_t most;
};
Sizes sizes_of(NoiseXX::Message kind) {
  using enum NoiseXX::Message;
  if (kind == first) return {NoiseXX::kFirstSize, NoiseXX::kFirstSize};
  const std::size_t least = kind == second ? NoiseXX::kSecondSize : NoiseXX::kThirdSize;
  return {least, least + kMaxNoisePayload};
}

Result<void> check_size(Sizes sizes, std::size_t size) {
  if (size < sizes.least) return fail(Errc::malformed, "noise: a handshake message is cut short");
  if (size > sizes.most) return fail(Errc::limit, "noise: a handshake message is too long");
  return {};
}

// Moves bytes from `in` until `out` has `size` of them; whether it has.
bool fill(Bytes& out, ByteView& in, std::size_t size) {
  const std::size_t count = std::min(in.size(), size - out.size());
  append(out, in.first(count));
  in = in.subspan(count);
  return out.size() == size;
}

}  // namespace

Result<std::optional<Bytes>> HandshakeReader::next(NoiseXX::Message kind, ByteView& in) {
  if (message_.size() < kNoisePrefixSize && !fill(message_, in, kNoisePrefixSize))
    return std::nullopt;
  const std::size_t size = body_size(message_);
  RETURN_IF_ERROR(check_size(sizes_of(kind), size));
  if (!fill(message_, in, kNoisePrefixSize + size)) return std::nullopt;
  Bytes body = std::exchange(message_, {});
  body.erase(body.begin(), body.begin() + kNoisePrefixSize);
  return body;
}

void put_handshake_message(Bytes& out, ByteView body) {
  out.push_back(static_cast<std::uint8_t>(body.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(body.size()));
  append(out, body);
}

}  // namespace kadmesh
