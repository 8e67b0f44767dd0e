// GET_VALUE: the best value that the closest peers and this node hold for a key.
//
//   loading (the local store) -> searching -> done
//
// Only values that validate count, from peers and from here alike; of two the validator chooses,
// and only the best is kept. With a value in hand, peers that are silent are not waited for. After
// the walk, those of the closest that answered with a worse value or none are given the best one,
// and so is the local store if it held a worse one.
#pragma once

#include <set>

#include "kad/search.h"

namespace kadmesh {

class GetQuery final : public Query {
 public:
  GetQuery(const KadView& view, Bytes key, Time started, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_candidate(const Contact& contact) override { search_.on_candidate(contact); }
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  enum class Phase { loading, searching, done };

  // Whether it is the best so far, or as good.
  bool consider(const Bytes& value);
  QueryStep finish(Turn turn);
  std::optional<Repair> repair() const;

  const KadView& view_;
  Bytes key_;
  Time deadline_;
  Search search_;
  Phase phase_ = Phase::loading;
  bool asked_store_ = false, expired_ = false;
  std::optional<Bytes> best_;
  std::set<PeerId> holders_;  // of the best
  bool local_ = false;        // holds the best
  bool local_worse_ = false;  // held another
};

}  // namespace kadmesh
