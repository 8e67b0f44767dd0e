#include "transport/handshake_message.h"

#include <span>

namespace kadmesh {
namespace {

// What a message may measure: message 1 has no payload, the others have one.
struct Sizes {
  std::size_t least;
  std::size_t most;
};
Sizes sizes_of(NoiseXX::Message kind) {
  using enum NoiseXX::Message;
  if (kind == first) return {NoiseXX::kFirstSize, NoiseXX::kFirstSize};
  const std::size_t least = kind == second ? NoiseXX::kSecondSize : NoiseXX::kThirdSize;
  return {least, least + kMostNoisePayload};
}

Result<void> check_size(Sizes sizes, std::size_t size) {
  if (size < sizes.least) return fail(Errc::malformed, "noise: a handshake message is cut short");
  if (size > sizes.most) return fail(Errc::limit, "noise: a handshake message is too long");
  return {};
}

}  // namespace

Result<std::optional<ByteView>> HandshakeReader::next(NoiseXX::Message kind, ByteView& in) {
  if (const auto size = frames_.next_size(in)) RETURN_IF_ERROR(check_size(sizes_of(kind), *size));
  const auto frame = frames_.next(in);
  if (!frame) return std::nullopt;
  return frame->body;
}

void put_handshake_message(Bytes& out, ByteView body) {
  const std::size_t start = out.size();
  out.resize(start + kNoisePrefixSize);
  put_noise_prefix(std::span(out).subspan(start), body.size());
  append(out, body);
}

}  // namespace kadmesh
