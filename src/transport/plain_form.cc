#include "transport/plain_form.h"

#include <algorithm>

#include "base/check.h"
#include "transport/handshake_message.h"
#include "transport/plain.h"

namespace kadmesh {
namespace {

// 0, 0, the code, the words up to the end.
constexpr std::size_t kFaultHead = 3;

}  // namespace

void put_plain_handshake(Bytes& out, NoiseXX::Message kind, ByteView payload) {
  using enum NoiseXX::Message;
  Bytes body(kind == first    ? NoiseXX::kFirstSize
             : kind == second ? NoiseXX::kSecondSize - kAeadTagSize
                              : NoiseXX::kThirdSize - kAeadTagSize);
  append(body, payload);
  if (kind != first) body.resize(body.size() + kAeadTagSize);
  put_handshake_message(out, body);
}

void put_plain_message(Bytes& out, ByteView plain) {
  PlainSealer sealer;
  const std::size_t start = sealer.begin(out);
  append(out, plain);
  const auto sealed = sealer.end(out, start);
  KAD_CHECK(sealed);  // it counts nothing that could be used up
}

void put_plain_fault(Bytes& out, const Error& why) {
  out.insert(out.end(), {0, 0, static_cast<std::uint8_t>(why.code)});
  append(out, as_bytes(why.detail));
}

std::optional<Error> plain_fault(ByteView in) {
  if (in.size() < kFaultHead || in[0] != 0 || in[1] != 0) return std::nullopt;
  const auto code = std::min(in[2], static_cast<std::uint8_t>(Errc::io));
  return Error{Errc{code}, std::string(as_text(in.subspan(kFaultHead)))};
}

}  // namespace kadmesh
