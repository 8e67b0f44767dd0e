// PUT_VALUE: a value to the k closest peers, and to this node first.
//
//   loading <--> saving --> searching --> delivering --> done
//
// Saving writes two rows: the value, and that it is ours to publish and not delivered yet; the
// latter is stamped when somebody has acknowledged it. So a put outlives a crash at any point, and
// what nobody took is delivered when a peer comes (kad/republish.h). What a peer took and this disk
// did not is ours to publish all the same (kad/unsaved.h).
//
// Peers and other puts of ours write there too: each row is written over what was seen there alone,
// and where that is not so any more, it is looked at again. What is not fit to be put, as it has
// expired or a better value is there, is not ours to publish any longer.
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

  void load();
  void loaded(Turn turn);
  void saved(StoreTag tag, const StoreResult& result);
  void refuse(Error why);
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
  std::size_t answers_due_ = 0;
  std::optional<StoreRows> seen_value_, seen_ours_;  // none: the disk did not say
  bool overtaken_ = false;                           // something else is there than was seen
  bool stored_ = false;                              // the value
  bool publishing_ = false;                          // that it is ours
};

}  // namespace kadmesh
