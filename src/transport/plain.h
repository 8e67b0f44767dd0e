// Noise without cryptography, for simulation and replay alone: who speaks it believes whatever it
// is told. Messages have the lengths that Noise gives them, go at the same time and draw the same
// luck, so a simulated network behaves as it would under Noise, for less.
//
//   handshake   as handshake_message.h frames it
//     first     32 random bytes
//     second    32 random bytes ‖ 48 zeros ‖ the responder's identity ‖ 16 zeros
//     third     48 zeros ‖ the initiator's identity ‖ 16 zeros
//   transport   as sealed_messages.h has them; sealed: the bytes ‖ 16 zeros
//
// Random bytes stand for ephemeral keys, zeros for what Noise seals; identities are those that
// Noise presents (noise_payload.h), whose signatures nobody checks. Other bytes where zeros must be
// end the connection: they come from no peer of this kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "transport/noise.h"
#include "transport/sealed_messages.h"

namespace kadmesh {

// There is no counter to be used up.
struct PlainSeal {
  static Result<void> seal(std::span<std::uint8_t> body);
};

// A message that lies whole in the input is given out where it lies.
struct PlainOpen {
  // Errc::auth: other bytes than zeros.
  static Result<ByteView> open(const NoiseFrame& frame);
  static void release() {}
  static std::size_t buffered() { return 0; }
};

using PlainSealer = MessageSealer<PlainSeal>;
using PlainOpener = MessageOpener<PlainOpen>;

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
