// The server's side of Kademlia's streams: requests one after another on each, answered in order
// (libp2p specs, kad-dht/README.md, "RPC messages"; go's client keeps one stream for all).
//
// A request is read only when the one before it was answered, so a peer that floods one stream
// fills its window and waits. From one whole request, or answer, to the next kIdle may pass; bytes
// that make no request buy no time. ADD_PROVIDER has no answer: a byte too many would be read by go
// as the answer to its next request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kad/kad.h"
#include "transport/swarm.h"

namespace kadmesh {

class KadStreams {
 public:
  static constexpr Duration kIdle = 90s;          // go keeps its stream for a minute
  static constexpr std::size_t kMostOfPeer = 32;  // streams; one more is reset

  // Both outlive this.
  KadStreams(Swarm& swarm, Kad& kad, bool serving);
  ~KadStreams();

  // Whether the protocol is served; streams that are open when it no longer is are reset. True when
  // that changed anything.
  bool serve(Turn turn, bool serving);
  void reply(Turn turn, const KadReply& reply);
  void refuse(Turn turn, const KadRefuse& refusal);

  // True when the event was about a stream of these.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::size_t streams() const;
  std::uint64_t heard() const;  // bytes of whole requests, so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
