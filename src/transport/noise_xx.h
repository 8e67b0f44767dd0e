// The XX pattern (Noise Protocol Framework, revision 34, sections 5.3 and 7.5): two ends that know
// nothing of each other learn each other's static key in three messages.
//
//            message 1           message 2                   message 3
//   token    -> e                <- e, ee, s, es             -> s, se
//   bytes    32 + payload        32 + (32+16) + payload+16   (32+16) + payload+16
//
// Pure Noise: no framing, no libp2p payload; that is noise.h. A static key is only claimed until
// the peer has sent a payload that decrypts under it, and whose it is Noise does not know.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transport/noise_keylog.h"
#include "transport/noise_symmetric.h"
#include "transport/role.h"

namespace kadmesh {

//   first -> second -> third -> done; the initiator writes the odd ones, the responder reads them
class NoiseXX {
 public:
  enum class Message : std::uint8_t { first, second, third, done };
  // The bytes of a message whose payload is empty.
  static constexpr std::size_t kFirstSize = 32;
  static constexpr std::size_t kSecondSize = 32 + 48 + 16;
  static constexpr std::size_t kThirdSize = 48 + 16;

  // The ephemeral key must be fresh for every handshake.
  NoiseXX(Role role, const X25519KeyPair& static_key, const X25519KeyPair& ephemeral,
          ByteView prologue = {});
  ~NoiseXX();  // wipes its secrets
  NoiseXX(NoiseXX&&) noexcept = default;
  NoiseXX& operator=(NoiseXX&&) noexcept = default;

  // Which comes next, and whether it is ours to write.
  Message next() const { return next_; }
  bool our_turn() const;

  // Appends the next message. Errc::auth: the peer's key is a point of small order.
  Result<void> write(ByteView payload, Bytes& out);
  // The payload of the next message. After an error the handshake is dead.
  Result<Bytes> read(ByteView message);

  // From message 2 (initiator) or 3 (responder) on.
  const X25519Key& remote_static() const { return remote_static_; }
  const Sha256& handshake_hash() const { return symmetric_.hash(); }
  // Complete once done.
  const NoiseSecrets& secrets() const { return secrets_; }

 private:
  void advance();
  Result<void> write_keys(Bytes& out);
  Result<void> write_second(Bytes& out);
  Result<void> write_third(Bytes& out);
  Result<void> read_keys(ByteView& in);
  Result<void> read_second(ByteView& in);
  Result<void> read_third(ByteView& in);

  // The pattern's tokens.
  void put_e(Bytes& out);
  void put_s(Bytes& out);
  Result<void> take_e(ByteView& in);
  Result<void> take_s(ByteView& in);
  Result<void> mix_dh(const X25519Key& secret, const X25519Key& share, AeadKey& log);

  Role role_;
  Message next_ = Message::first;
  X25519KeyPair static_;
  X25519KeyPair ephemeral_;
  X25519Key remote_ephemeral_{};
  X25519Key remote_static_{};
  NoiseSymmetric symmetric_;
  NoiseSecrets secrets_;
};

}  // namespace kadmesh
