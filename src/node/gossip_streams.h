// GossipSub's streams: to every peer one of ours on which only we write, and one of the peer's on
// which only it writes (libp2p specs, pubsub/README.md, "Stream management").
//
//   none -> opening -> open        opened at once when the peer connects
//            |          |
//            +-> waiting <-+       a stream that broke is opened again after kReopenFirst, doubled
//            |                     up to kReopenMost, kMostReopens times; counted afresh behind one
//            |                     that has held for kReopenMost
//            +-> refused           the peer serves none of our protocols; retry() when it says it
//            does
//
// What a peer says comes whole within kRpcTimeout of its first byte, or its stream is reset: an RPC
// of 1 MiB is held until its last byte.
//
// They do not keep an idle connection: topics that both subscribe to do (GossipHold).
//
// A peer's newer stream replaces its older one, as in every stack. Closing or writing on the stream
// of a peer makes go declare us dead, so we do neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "gossip/gossip.h"
#include "transport/swarm.h"

namespace kadmesh {

class GossipStreams {
 public:
  static constexpr Duration kOpenTimeout = 10s;
  static constexpr Duration kReopenFirst = 100ms;
  static constexpr Duration kReopenMost = 10s;
  static constexpr unsigned kMostReopens = 8;
  static constexpr Duration kRpcTimeout = 60s;  // the longest at 18 KB/s

  // Both outlive this. Serves gossip's protocols from construction on.
  GossipStreams(Swarm& swarm, Gossip& gossip);
  ~GossipStreams();

  void on_connected(Turn turn, const PeerId& peer);
  void on_disconnected(const PeerId& peer);
  // The peer says that it serves gossip: tries again where it was refused or given up.
  void retry(Turn turn, const PeerId& peer);
  void send(Turn turn, const GossipSend& message);
  void fault(Turn turn, const GossipFault& fault);

  // True when the event was about a stream of these.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::size_t streams() const;
  std::uint64_t heard() const;       // bytes of whole RPCs, so far
  std::size_t unsent_bytes() const;  // waiting here for room in a stream

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
