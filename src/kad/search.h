// A walk that puts one question to each peer it meets, and the wait for the first peer where there
// is none. Who could not be reached a moment ago (kad/backoff.h), or is one of k / 3 that are
// banned (kad/quality.h), has failed without being asked.
//
//   hungry --a peer connects--> walking --> over
//     |  ^                        |          ^
//     |  +--nobody answered, but somebody may come (bootstrap)
//     +--nobody can come, or the deadline----+
#pragma once

#include <deque>
#include <optional>

#include "kad/paths.h"
#include "kad/query.h"

namespace kadmesh {

class Search {
 public:
  Search(const KadView& view, KadId target, KadMessage question, Time started, Time deadline);

  // Begins with this peer instead of those in the table. Before the first step.
  void start_from(const Contact& contact);
  // AskPeer, Withdraw, Rest or, once, Converged; none once it is over. `enough`: what was sought is
  // in hand, so peers that are silent (Lookup, stalls) are not waited for.
  std::optional<QueryStep> next(Turn turn, bool enough = false);

  void on_answer(const PeerId& peer, const KadMessage& message);
  void on_failure(const PeerId& peer) { lookup_.on_failure(peer); }
  void on_candidate(const Contact& contact);
  // Ends it; whoever is outstanding is withdrawn by the next steps.
  void stop();
  // Ends it when its owner has withdrawn everybody already.
  void expire();

  bool over() const { return over_; }
  const Paths& lookup() const { return lookup_; }
  Walk walk(Time now) const;

 private:
  std::optional<QueryStep> rest(Lookup::Wait wait, bool enough);
  std::optional<QueryStep> finish(Turn turn, Lookup::End end, bool enough);
  void begin();
  bool out_of_question(Time now, const Contact& whom);
  AskPeer ask_peer(Time now, const Contact& to);
  bool concerns(const Contact& heard) const;

  const KadView& view_;
  KadId target_;
  KadMessage question_;
  Time started_, deadline_;
  Paths lookup_;
  bool begun_ = false, over_ = false, complete_ = false;
  std::size_t banned_ = 0;  // passed over so far
  std::deque<PeerId> to_withdraw_;
};

// What a third peer said of a peer, good for one dial.
Contact hearsay(const KadPeer& peer);

}  // namespace kadmesh
