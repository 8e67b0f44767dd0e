// ADD_PROVIDER for many keys that lie together: one look at who is there (kad/survey.h) in place of
// a walk for each key, then to each of these peers its keys in turn (kad/round.h).
//
//   surveying --somebody is there--> announcing --> over
//
// Each key goes to its k closest in the region, and counts as announced when one of them was told.
// What was not finished by the deadline stays due.
#pragma once

#include <functional>

#include "kad/round.h"
#include "kad/survey.h"

namespace kadmesh {

class SweepQuery final : public Query {
 public:
  // Whether a row is to be announced.
  using Wanted = std::function<bool(Turn, const Row&)>;

  // Around `key`, one of those that are to be announced.
  SweepQuery(const KadView& view, Bytes key, Wanted wanted, Turn turn, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_refused(Turn turn, const PeerId& peer) override;
  void on_candidate(const Contact& contact) override { survey_.on_candidate(contact); }
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  void begin_round();
  QueryStep announce(Turn turn);

  const KadView& view_;
  Wanted wanted_;
  Time deadline_;
  Survey survey_;
  std::optional<Round> round_;
  bool over_ = false, missed_ = false;
};

}  // namespace kadmesh
