// FIND_NODE about a peer: where it is. A connected peer that has told where it listens is found
// at once; otherwise the walk asks its way towards it, and, being the closest there is to its own
// id, the peer itself in the end. A connected one is found even if nobody knows an address.
//
//   searching -> done
#pragma once

#include "kad/search.h"

namespace kadmesh {

class FindQuery final : public Query {
 public:
  FindQuery(const KadView& view, const PeerId& peer, Time started, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn, const PeerId& peer) override { search_.on_failure(peer); }
  void on_candidate(const Contact& contact) override;
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  bool here() const;
  QueryStep finish(Turn turn);
  Contact known() const;

  const KadView& view_;
  PeerId peer_;
  Search search_;
  bool expired_ = false;
};

}  // namespace kadmesh
