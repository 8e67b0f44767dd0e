// To a server that came to live near us: the values that are here and now belong there as well.
// Between two rounds of replication half of all holders may leave; who comes takes their places.
//
// Of each value for which it is among the k closest, kHandingOver send it a copy: those that lie
// nearest to the key, as far as they know one another.
#pragma once

#include "kad/region.h"
#include "kad/round.h"

namespace kadmesh {

class HandOverQuery final : public Query {
 public:
  HandOverQuery(const KadView& view, const PeerId& newcomer, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override {
    return round_.on_reply(turn, peer, message);
  }
  void on_failure(Turn turn, const PeerId& peer) override { round_.on_failure(turn, peer); }
  void on_refused(Turn turn, const PeerId& peer) override { round_.on_refused(turn, peer); }
  void on_stored(Turn turn, StoreTag, const StoreResult& result) override {
    round_.on_stored(turn, result);
  }
  void on_deadline(Turn) override { round_.expire(); }

 protected:
  QueryStep advance(Turn turn) override;

 private:
  HandOverQuery(const KadView& view, const PeerId& newcomer, const Prefix& among, Time deadline);
  std::vector<Contact> recipient(Turn turn, const Row& row) const;

  const KadView& view_;
  PeerId newcomer_;
  Round round_;
};

}  // namespace kadmesh
