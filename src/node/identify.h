// Identify and identify/push (libp2p specs, identify/README.md): who the other side says it is,
// what it serves and where it listens; and the same of us.
//
// Rules:
//   - ask() on every new connection; the answer, or that there is none, comes once from poll().
//   - We answer each stream with one complete message (identify_wire.h) and end it.
//   - When what we serve or where we listen changes, every connected peer that takes pushes gets
//     the full message, kPushDelay later so that changes in a row travel together. A push replaces
//     all that was known: go forgets protocols that are not in it.
//   - Of a peer's pushes, kPushBurst at once and one each kPushEvery are read; others are reset.
//   - A message that names another peer's key is refused whole; a signed record of another peer
//     drops all its addresses; one that does not verify leaves the plain addresses to stand.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "transport/swarm.h"

namespace kadmesh {

class SignatureMemo;

inline constexpr std::string_view kIdentifyProtocol = "/ipfs/id/1.0.0";
inline constexpr std::string_view kIdentifyPushProtocol = "/ipfs/id/push/1.0.0";

// What a peer told us of itself. Texts are as the peer sent them: any bytes.
struct PeerInfo {
  std::string agent, protocol_version;
  std::vector<std::string> protocols;  // ordered, each once
  std::vector<Dialable> addrs;         // where it listens
  std::optional<Multiaddr> observed;   // where it sees us

  bool serves(std::string_view protocol) const;
};

class Identify {
 public:
  static constexpr Duration kTimeout = 10s;  // one exchange, either way
  static constexpr Duration kPushDelay = 20ms;
  static constexpr Duration kPushEvery = 5s;
  static constexpr std::size_t kPushBurst = 10;
  static constexpr std::size_t kMostExchanges = 2;  // inbound at once, of one connection

  struct Told {  // the outcome of one ask() or of one push
    PeerId peer;
    bool pushed;
    Result<void> result;  // the reason why there is no new info()
    Bytes record{};       // its signed record as it came, which holds; empty: none
  };

  // `swarm` and `identity` outlive this.
  // `signatures`: null, or what a simulation has verified.
  Identify(Swarm& swarm, const KeyPair& identity, std::string agent, std::string protocol_version,
           std::shared_ptr<SignatureMemo> signatures = nullptr);
  ~Identify();

  void ask(Turn turn, const Established& connection);
  // The peer's last connection is gone: so is what it told us.
  void forget(const PeerId& peer);
  // Where we listen; a push follows.
  void set_addrs(Turn turn, std::vector<Multiaddr> addrs);
  // What we serve has changed in the swarm; a push follows.
  void protocols_changed(Turn turn);

  // True when the event was about a stream of ours.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<Told> poll();

  // Null before the peer has told us anything.
  const PeerInfo* info(const PeerId& peer) const;
  std::size_t exchanges() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
