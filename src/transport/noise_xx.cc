#include "transport/noise_xx.h"

#include <algorithm>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::size_t kKeySize = sizeof(X25519Key);

Result<ByteView> take(ByteView& in, std::size_t count) {
  if (in.size() < count) return fail(Errc::malformed, "noise: a handshake message is cut short");
  const ByteView front = in.first(count);
  in = in.subspan(count);
  return front;
}

}  // namespace

NoiseXX::NoiseXX(Role role, const X25519KeyPair& static_key, const X25519KeyPair& ephemeral,
                 ByteView prologue)
    : role_(role), static_(static_key), ephemeral_(ephemeral), symmetric_(prologue) {}

NoiseXX::~NoiseXX() {
  wipe(static_.secret);
  wipe(ephemeral_.secret);
  for (AeadKey* key :
       {&secrets_.ee, &secrets_.es, &secrets_.se, &secrets_.initiator, &secrets_.responder})
    wipe(*key);
}

bool NoiseXX::our_turn() const {
  if (next_ == Message::done) return false;
  return (next_ == Message::second) == (role_ == Role::responder);
}

Result<void> NoiseXX::write(ByteView payload, Bytes& out) {
  KAD_CHECK(our_turn());
  RETURN_IF_ERROR(write_keys(out));
  symmetric_.encrypt_and_hash(payload, out);
  advance();
  return {};
}

Result<Bytes> NoiseXX::read(ByteView message) {
  KAD_CHECK(next_ != Message::done && !our_turn());
  RETURN_IF_ERROR(read_keys(message));
  ASSIGN_OR_RETURN(Bytes payload, symmetric_.decrypt_and_hash(message));
  advance();
  return payload;
}

void NoiseXX::advance() {
  next_ = static_cast<Message>(static_cast<std::uint8_t>(next_) + 1);
  if (next_ != Message::done) return;
  const NoiseSymmetric::Split keys = symmetric_.split();
  const bool initiator = role_ == Role::initiator;
  secrets_.initiator_ephemeral = initiator ? ephemeral_.share : remote_ephemeral_;
  secrets_.responder_ephemeral = initiator ? remote_ephemeral_ : ephemeral_.share;
  secrets_.initiator = keys.initiator;
  secrets_.responder = keys.responder;
}

Result<void> NoiseXX::write_keys(Bytes& out) {
  if (next_ == Message::second) return write_second(out);
  if (next_ == Message::third) return write_third(out);
  put_e(out);
  return {};
}

Result<void> NoiseXX::write_second(Bytes& out) {
  put_e(out);
  RETURN_IF_ERROR(mix_dh(ephemeral_.secret, remote_ephemeral_, secrets_.ee));
  put_s(out);
  return mix_dh(static_.secret, remote_ephemeral_, secrets_.es);
}

Result<void> NoiseXX::write_third(Bytes& out) {
  put_s(out);
  return mix_dh(static_.secret, remote_ephemeral_, secrets_.se);
}

Result<void> NoiseXX::read_keys(ByteView& in) {
  if (next_ == Message::second) return read_second(in);
  if (next_ == Message::third) return read_third(in);
  return take_e(in);
}

Result<void> NoiseXX::read_second(ByteView& in) {
  RETURN_IF_ERROR(take_e(in));
  RETURN_IF_ERROR(mix_dh(ephemeral_.secret, remote_ephemeral_, secrets_.ee));
  RETURN_IF_ERROR(take_s(in));
  return mix_dh(ephemeral_.secret, remote_static_, secrets_.es);
}

Result<void> NoiseXX::read_third(ByteView& in) {
  RETURN_IF_ERROR(take_s(in));
  return mix_dh(ephemeral_.secret, remote_static_, secrets_.se);
}

void NoiseXX::put_e(Bytes& out) {
  append(out, ephemeral_.share);
  symmetric_.mix_hash(ephemeral_.share);
}

void NoiseXX::put_s(Bytes& out) { symmetric_.encrypt_and_hash(static_.share, out); }

Result<void> NoiseXX::take_e(ByteView& in) {
  ASSIGN_OR_RETURN(const ByteView share, take(in, kKeySize));
  std::ranges::copy(share, remote_ephemeral_.begin());
  symmetric_.mix_hash(share);
  return {};
}

Result<void> NoiseXX::take_s(ByteView& in) {
  ASSIGN_OR_RETURN(const ByteView sealed, take(in, kKeySize + kAeadTagSize));
  ASSIGN_OR_RETURN(const Bytes share, symmetric_.decrypt_and_hash(sealed));
  std::ranges::copy(share, remote_static_.begin());
  return {};
}

Result<void> NoiseXX::mix_dh(const X25519Key& secret, const X25519Key& share, AeadKey& log) {
  ASSIGN_OR_RETURN(X25519Key shared, x25519(secret, share));
  symmetric_.mix_key(shared);
  wipe(shared);
  log = symmetric_.key();
  return {};
}

}  // namespace kadmesh
