// A walk that puts one question to each peer it meets, and the wait for the first peer where there
// is none.
//
//   hungry --a peer connects--> walking --> over
//     |  ^                        |          ^
//     |  +--nobody answered, but somebody may come (bootstrap)
//     +--nobody can come, or the deadline----+
#pragma once

#include <deque>
#include <optional>

#include "kad/lookup.h"
#include "kad/query.h"

namespace kadmesh {

class Search {
 public:
  Search(const KadView& view, KadId target, KadMessage question, Time started, Time deadline);

  // AskPeer, Withdraw or Rest; none once it is over. `enough`: what was sought is in hand, so peers
  // that are silent (Lookup, kStall) are not waited for.
  std::optional<QueryStep> next(Turn turn, bool enough = false);

  void on_answer(const PeerId& peer, const KadMessage& message);
  void on_failure(const PeerId& peer) { lookup_.on_failure(peer); }
  void on_candidate(const Contact& contact);
  // Ends it; whoever is outstanding is withdrawn by the next steps.
  void stop();
  // Ends it when its owner has withdrawn everybody already.
  void expire();

  bool over() const { return over_; }
  const Lookup& lookup() const { return lookup_; }
  Walk walk(Time now) const;

 private:
  std::optional<QueryStep> rest(Lookup::Wait wait, bool enough);
  std::optional<QueryStep> finish(Turn turn, Lookup::End end, bool enough);
  void begin();

  const KadView& view_;
  KadId target_;
  KadMessage question_;
  Time started_, deadline_;
  Lookup lookup_;
  bool begun_ = false, over_ = false, complete_ = false;
  std::deque<PeerId> to_withdraw_;
};

// What a third peer said of a peer, good for one dial.
Contact hearsay(const KadPeer& peer);

}  // namespace kadmesh
