// One message to given peers and nothing more, in the background: the probe of a peer of which only
// its answer can tell whether it serves, and the repair of stale values after a get.
#pragma once

#include "kad/delivery.h"

namespace kadmesh {

class ErrandQuery final : public Query {
 public:
  // FIND_NODE about the peer's own id, as go probes.
  static std::unique_ptr<Query> probe(const Contact& peer, Time deadline);
  static std::unique_ptr<Query> repair(Repair repair, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn, const PeerId& peer) override { delivery_.on_failure(peer); }
  void on_deadline(Turn) override { expired_ = true; }

 protected:
  QueryStep advance(Turn turn) override;

 private:
  ErrandQuery(std::vector<Contact> to, KadMessage message, std::optional<KadRecord> put,
              Time deadline)
      : put_(std::move(put)),
        deadline_(deadline),
        delivery_(std::move(to), std::move(message), true) {}

  std::optional<KadRecord> put_;  // what the answers must repeat
  Time deadline_;
  Delivery delivery_;
  bool expired_ = false;
};

}  // namespace kadmesh
