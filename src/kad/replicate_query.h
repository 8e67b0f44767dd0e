// Values that are here, again to the k closest peers of each: holders leave, and others have taken
// their places (Maymounkov and Mazieres, "Kademlia", 2.5).
//
//   peeking (is a value here at all?) --> surveying around ourselves --> sending --> over
//
// Of the values that lie where we do, those of whose k closest we are one. Whoever is sent a value
// need not replicate it within the interval, so of the k holders one does, whose turn comes first:
// a value that somebody sent us within the interval is passed over. Each says how long it is still
// to be kept (KadRecord::ttl), so no value lives longer for it.
#pragma once

#include "kad/round.h"
#include "kad/survey.h"

namespace kadmesh {

class ReplicateQuery final : public Query {
 public:
  ReplicateQuery(const KadView& view, Turn turn, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_refused(Turn turn, const PeerId& peer) override;
  void on_candidate(const Contact& contact) override { survey_.on_candidate(contact); }
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  enum class Phase { peeking, surveying, sending, over };

  void begin_round();
  std::vector<Contact> recipients(Turn turn, const Row& row) const;

  const KadView& view_;
  Time deadline_;
  Phase phase_ = Phase::peeking;
  Survey survey_;
  std::optional<Round> round_;
};

// PUT_VALUE of a row, with what is left of its life.
KadMessage copy_message(Turn turn, const Row& row);

}  // namespace kadmesh
