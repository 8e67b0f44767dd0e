// The security protocol /noise: a Noise XX handshake that carries libp2p identities (libp2p specs,
// noise/README.md), here without input or output of its own.
//
//   1  ->     no payload
//   2  <-     the responder's identity (noise_payload.h)
//   3  ->     the initiator's identity
//   framed    as in handshake_message.h
//
// The initiator refuses after message 2, sending nothing more; the responder knows its peer after
// message 3 and may write only then. The initiator's first transport bytes may share a segment
// with message 3, so the handshake takes exactly its own bytes.
//
// Whoever owns the pipe owns the deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/keys.h"
#include "base/rng.h"
#include "transport/handshake_message.h"
#include "transport/noise_cipher.h"
#include "transport/noise_keylog.h"
#include "transport/noise_payload.h"
#include "transport/noise_xx.h"
#include "transport/role.h"

namespace kadmesh {

// One static key serves a process: its signature and its base multiplication are made once, a
// fifth of a handshake. Unrelated to the identity key beyond that signature.
struct NoiseStatic {
  X25519KeyPair key;
  Bytes payload;  // the identity that we present; at most kMostNoisePayload
};
// `muxers`: offered inside the payload; none for the plain negotiation afterwards.
NoiseStatic make_noise_static(Rng& rng, const KeyPair& identity,
                              std::span<const std::string> muxers);

// An agreed session. `send` and `receive` are its two directions from the first byte on.
struct NoiseSession {
  PublicKey remote_key;
  PeerId remote;
  std::vector<std::string> remote_muxers;  // empty: it sent none, or more than kMostEarlyMuxers
  NoiseSealer send;
  NoiseOpener receive;
  NoiseSecrets secrets;  // for the key log alone; drop it otherwise
};

//   initiator   (1 goes out) --2--> done (3 goes out)
//   responder   --1--> (2 goes out) --3--> done
//   any error:  failed, for good; nothing more goes out
class NoiseHandshake {
 public:
  // The ephemeral key is drawn here. `expected`: whom we called; any peer will do without.
  NoiseHandshake(Role role, const NoiseStatic& ours, Rng& rng, std::optional<PeerId> expected);

  // How many bytes at the front of `in` were ours; fewer than all only once done, then 0.
  // Errc::auth: a message does not decrypt, or its sender is not who it must be.
  // Errc::protocol, Errc::malformed, Errc::limit, Errc::unsupported: what the peer sent.
  Result<std::size_t> on_bytes(ByteView in);
  // What must be sent, in order; empty when there is nothing.
  Bytes take_output();

  bool done() const { return state_ == State::done; }
  // The identity that the peer presented, as it came.
  ByteView remote_payload() const { return remote_payload_; }
  // Once, when done().
  NoiseSession take();

 private:
  enum class State : std::uint8_t { running, done, taken, failed };
  Result<std::size_t> read_messages(ByteView in);
  Result<void> on_message(ByteView message);
  Result<void> on_identity(ByteView payload);
  Result<void> write_message();
  bool over() const { return state_ == State::done || state_ == State::taken; }

  Role role_;
  State state_ = State::running;
  Bytes payload_;  // ours
  std::optional<PeerId> expected_;
  NoiseXX xx_;
  std::optional<NoiseIdentity> remote_;
  Bytes remote_payload_;
  HandshakeReader reader_;
  Bytes output_;
};

}  // namespace kadmesh
