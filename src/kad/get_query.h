// GET_VALUE: the best value that the closest peers and this node hold for a key.
//
//   loading (the local store) -> searching -> done
//
// Only values that validate count, from peers and from here alike; of two the validator chooses,
// and only the best is kept. With a value in hand, peers that are silent are not waited for, and
// with a quorum of holders nobody is (WalkOptions). After the walk, those of the closest that
// answered with a worse value or none are given the best one; where the quorum ended it before,
// only those with a worse value, for who is closest is not known. So is the local store if it holds
// the worse one still, for whomever it does (Row::charge). They are told how long it is still to be
// kept, if every holder said so: what is read often would live for ever else.
#pragma once

#include <set>

#include "kad/search.h"

namespace kadmesh {

class GetQuery final : public Query {
 public:
  GetQuery(const KadView& view, Bytes key, std::size_t quorum, Time started, Time deadline);

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
  bool consider(const Bytes& value, std::optional<std::uint32_t> ttl);
  bool has_quorum() const;
  QueryStep finish(Turn turn);
  Save replacement(Turn turn) const;
  std::optional<Repair> repair() const;

  const KadView& view_;
  Bytes key_;
  Time deadline_;
  Search search_;
  Phase phase_ = Phase::loading;
  bool asked_store_ = false, expired_ = false;
  std::size_t quorum_;  // 0: none
  std::optional<Bytes> best_;
  std::set<PeerId> holders_;          // of the best
  std::set<PeerId> stale_;            // who have a worse one
  std::optional<std::uint32_t> ttl_;  // the longest that one of them gives it; none is longest
  bool local_ = false;                // holds the best
  bool local_worse_ = false;          // held another
  StoreRows local_row_;
};

}  // namespace kadmesh
