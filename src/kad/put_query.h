// PUT_VALUE: a value to the k closest peers, and to this node first.
//
//   loading -> saving -> searching -> delivering -> done
//
// Saving writes two rows: the value, and that it is ours to publish and not delivered yet; the
// latter is stamped when somebody has acknowledged it. So a put outlives a crash at any point, and
// what nobody took is delivered when a peer comes (kad/republish.h).
#pragma once

#include "kad/delivery.h"
#include "kad/search.h"

namespace kadmesh {

class PutQuery final : public Query {
 public:
  PutQuery(const KadView& view, Bytes key, Bytes value, Turn turn, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_candidate(const Contact& contact) override { search_.on_candidate(contact); }
  void on_deadline(Turn turn) override;
  // What was asked for is no longer wanted: nothing will be delivered later.
  void on_cancelled(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  enum class Phase { loading, saving, searching, delivering, done };

  void save(Turn turn);
  void deliver();
  void conclude(Turn turn);
  QueryStep search(Turn turn);
  QueryStep deliver_next(Turn turn);
  Result<KadReport> report(Turn turn) const;

  const KadView& view_;
  KadRecord record_;
  Time deadline_;
  Search search_;
  std::optional<Delivery> delivery_;
  Phase phase_ = Phase::loading;
  std::optional<Error> refused_;
  std::size_t saves_due_ = 0;
  bool stored_ = false;      // the value
  bool publishing_ = false;  // that it is ours
};

}  // namespace kadmesh
