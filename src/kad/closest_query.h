// FIND_NODE about any bytes: the k closest peers that answer.
#pragma once

#include "kad/search.h"

namespace kadmesh {

class ClosestQuery final : public Query {
 public:
  ClosestQuery(const KadView& view, Bytes target, Time started, Time deadline);
  // By what this peer knows, and not the table. Before the first step.
  void start_from(const Contact& contact) { search_.start_from(contact); }

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn, const PeerId& peer) override { search_.on_failure(peer); }
  void on_candidate(const Contact& contact) override { search_.on_candidate(contact); }
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  const KadView& view_;
  Bytes target_;
  Search search_;
  bool expired_ = false;
};

}  // namespace kadmesh
