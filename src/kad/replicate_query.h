// Values that are here, again to the k closest peers of each: holders leave, and others have taken
// their places (Maymounkov and Mazieres, "Kademlia", 2.5).
//
//   peeking (is a value here at all?) --> as RegionQuery, around ourselves
//
// Of the values that lie where we do, those of whose k closest we are one. Whoever is sent a value
// need not replicate it within the interval, so of the k holders one does, whose turn comes first:
// a value that somebody sent us within the interval is passed over. Each says how long it is still
// to be kept (KadRecord::ttl), so no value lives longer for it.
#pragma once

#include "kad/region_query.h"

namespace kadmesh {

class ReplicateQuery final : public RegionQuery {
 public:
  // From the place `from` on, where the one before was cut short.
  ReplicateQuery(const KadView& view, std::uint64_t from, Turn turn, Time deadline);

  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_deadline(Turn turn) override;

 private:
  enum class Peek { asked, something, nothing, failed };

  QueryStep advance(Turn turn) override;
  std::vector<Contact> recipients(Turn turn, const Row& row) const override;
  KadMessage message(Turn turn, const Row& row) const override;
  bool fresh(WallTime now, const Row& row) const;

  Time deadline_;
  Peek peek_ = Peek::asked;
};

// PUT_VALUE of a row, with what is left of its life.
KadMessage copy_message(Turn turn, const Row& row);

}  // namespace kadmesh
