// Noise without cryptography, for simulation and replay alone: who speaks it believes whatever it
// is told. Messages have the lengths that Noise gives them, go at the same time and draw the same
// luck, so a simulated network behaves as it would under Noise, for less.
//
//   handshake   as handshake_message.h frames it
//     first     32 random bytes
//     second    32 random bytes ‖ 48 zeros ‖ the responder's identity ‖ 16 zeros
//     third     48 zeros ‖ the initiator's identity ‖ 16 zeros
//   transport   length of the rest, 2 bytes, big-endian ‖ the bytes ‖ 16 zeros
//
// Random bytes stand for ephemeral keys, zeros for what Noise seals; identities are those that
// Noise presents (noise_payload.h), whose signatures nobody checks. Other bytes where zeros must be
// end the connection: they come from no peer of this kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "transport/noise.h"

namespace kadmesh {

// As NoiseSealer; there is no counter to be used up.
class PlainSealer {
 public:
  Result<void> seal(ByteView plain, Bytes& out) const;
  std::size_t begin(Bytes& out) const;
  Result<void> end(Bytes& out, std::size_t start) const;
};

// As NoiseOpener, but a message that lies whole in the input is given out where it lies.
class PlainOpener {
 public:
  // The view is valid until the next call, and as long as `in`'s bytes.
  // Errc::auth: other bytes than zeros. Errc::malformed: shorter than those.
  Result<std::optional<ByteView>> next(ByteView& in);
  std::size_t buffered() const { return partial_.capacity(); }

 private:
  Result<std::optional<ByteView>> next_message(ByteView& in);
  Result<std::optional<ByteView>> read(ByteView& in);
  void collect(ByteView& in, std::size_t size);

  bool dead_ = false;
  bool lent_ = false;  // partial_ is a message that the caller may be looking at
  Bytes partial_;      // of a message that is cut off: what has come
};

struct PlainSession {
  NoiseIdentity remote;  // as it says
  PlainSealer send;
  PlainOpener receive;
};

// As NoiseHandshake.
class PlainHandshake {
 public:
  // Without luck zeros stand for the ephemeral key as well.
  PlainHandshake(Role role, const NoiseStatic& ours, Rng* luck, std::optional<PeerId> expected);

  // Errc::auth: the peer says that it is another than the one we called. Errc::malformed,
  // Errc::limit, Errc::unsupported: what the peer sent.
  Result<std::size_t> on_bytes(ByteView in);
  Bytes take_output();
  bool done() const { return next_ == Message::done && remote_; }
  // Once, when done().
  PlainSession take();

 private:
  using Message = NoiseXX::Message;
  Result<std::size_t> read_messages(ByteView in);
  Result<void> on_message(ByteView body);
  void write_message();
  void advance();

  Bytes payload_;  // ours
  std::optional<PeerId> expected_;
  X25519Key ephemeral_{};  // what stands for one
  Message next_ = Message::first;
  bool failed_ = false;
  std::optional<NoiseIdentity> remote_;
  HandshakeReader reader_;
  Bytes output_;
};

}  // namespace kadmesh
