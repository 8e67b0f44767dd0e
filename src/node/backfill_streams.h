// Backfill's streams: a question and its answer on each, and no more (gossip/backfill.h).
//
// A peer's question comes whole, is answered and has left within kServeTimeout, or its stream is
// reset. Of one peer kMostOfPeer are served at once; one more is reset.
#pragma once

#include <cstddef>
#include <memory>

#include "gossip/backfill.h"
#include "transport/swarm.h"

namespace kadmesh {

class BackfillStreams {
 public:
  static constexpr Duration kServeTimeout = 20s;  // an answer of 1 MiB at 52 KiB/s
  static constexpr std::size_t kMostOfPeer = 4;
  static constexpr std::size_t kMost = 64;  // of all peers: each may hold an answer of 1 MiB

  // Both outlive this. Serves the protocol if anything is kept.
  BackfillStreams(Swarm& swarm, Backfill& backfill);
  ~BackfillStreams();

  void ask(Turn turn, BackfillRequest request);
  void cancel(Turn turn, const BackfillCancel& cancelled);
  void reply(Turn turn, const BackfillReply& reply);
  // Answers to our questions are handed on; true if there were any.
  bool step(Turn turn);

  // True when the event was about a stream of these.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::size_t streams() const;      // of peers
  std::size_t outstanding() const;  // questions of ours

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
