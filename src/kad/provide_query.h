// ADD_PROVIDER: tell the k closest peers that this node provides a key. They do not answer.
//
//   saving -> searching -> announcing -> done
//
// Saving writes two rows: ourselves as a provider, for our own answers, and that the key is ours to
// announce and was not yet; the latter is stamped once somebody was told. Without an address of our
// own nobody is told (go resets the stream), and the announcement stays pending.
#pragma once

#include "kad/delivery.h"
#include "kad/search.h"

namespace kadmesh {

class ProvideQuery final : public Query {
 public:
  ProvideQuery(const KadView& view, Bytes key, Turn turn, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_candidate(const Contact& contact) override { search_.on_candidate(contact); }
  void on_deadline(Turn turn) override;
  void on_cancelled(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  enum class Phase { saving, searching, announcing, done };

  QueryStep search(Turn turn);
  QueryStep announce_next(Turn turn);
  void conclude(Turn turn);
  Result<KadReport> report(Turn turn) const;

  const KadView& view_;
  Bytes key_;
  Time deadline_;
  Search search_;
  std::optional<Delivery> delivery_;
  Phase phase_ = Phase::saving;
  std::optional<Error> refused_;
  std::size_t saves_due_ = 2;
  bool stored_ = false, providing_ = false;
};

}  // namespace kadmesh
