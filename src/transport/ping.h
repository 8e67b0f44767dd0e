// Ping: 32 random bytes there and back (libp2p specs, ping/ping.md). No framing; the asking side
// opens the stream, the answering side echoes until the asking side's end, then ends too.
//
// Rules:
//   - Bytes are echoed as they come, so partial reads and blocks after the asker's half close need
//     no care, and an echo that cannot be written yet stays in the stream's window: a peer that
//     does not read its echoes stops being able to send.
//   - A peer has at most kMostInbound ping streams here: one more replaces its oldest, since peers
//     that reconnect leave old ones behind.
//   - An inbound stream that is silent for kInboundIdle is reset. (Others ping every 5 to 15 s.)
//   - A peer has at most one ping of ours outstanding; asking again joins it.
//   - We end the stream when the echo is here, not before: js misses an end that comes before its
//     handler runs, keeps the stream, and refuses pings when it has kept too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "transport/swarm.h"

namespace kadmesh {

inline constexpr std::string_view kPingProtocol = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPingSize = 32;

// Answers. Serves the protocol from construction on, and keeps it from holding connections open.
class PingResponder {
 public:
  static constexpr std::size_t kMostInbound = 4;  // of one peer; go and js open at most 2
  static constexpr Duration kInboundIdle = 60s;

  // `swarm` outlives this.
  explicit PingResponder(Swarm& swarm);
  ~PingResponder();

  // True when the event was about a stream that this answers on.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;

  std::size_t streams() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Given out in order, never used again.
enum class PingId : std::uint64_t {};

struct Pinged {
  PingId id;
  PeerId peer;
  // From our write to the last byte of the echo; Errc::protocol when the echo differs,
  // Errc::unsupported when the peer does not answer pings (it is alive all the same).
  Result<Duration> rtt;
};

// Asks. Every ping has its own stream, and ends with exactly one Pinged by its deadline.
class Pinger {
 public:
  // `swarm` outlives this.
  explicit Pinger(Swarm& swarm);
  ~Pinger();

  // Of a connected peer; Errc::unreachable comes out of poll() otherwise. While a ping of that peer
  // is outstanding its id is returned, and its deadline stands.
  PingId ping(Turn turn, const PeerId& peer, Time deadline);

  // True when the event was about a stream of this Pinger.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<Pinged> poll();

  std::size_t outstanding() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
