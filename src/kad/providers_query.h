// GET_PROVIDERS: who provides a key, each told of as it is found and once; what exceeds an answer's
// share (kProviderAnswers) when the search is over. Which of an answer's are within its share is
// drawn: a sender that names them always in the same order would make all of the world go to the
// same few.
//
//   loading (the local store) -> searching -> done
#pragma once

#include <set>

#include "kad/search.h"

namespace kadmesh {

class ProvidersQuery final : public Query {
 public:
  // Ends early with `most` providers; 0 and more than kMostProviders mean that many.
  ProvidersQuery(const KadView& view, Bytes key, std::size_t most, Time started, Time deadline);

  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn, const PeerId& peer) override { search_.on_failure(peer); }
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_candidate(const Contact& contact) override { search_.on_candidate(contact); }
  void on_deadline(Turn turn) override;

 protected:
  QueryStep advance(Turn turn) override;

 private:
  enum class Phase { loading, searching, done };

  std::optional<Contact> stored(const Row& row) const;
  void found(Contact provider);
  void fill_up();
  Result<KadReport> report(Turn turn) const;

  const KadView& view_;
  Bytes key_;
  std::size_t most_;
  Time deadline_;
  Search search_;
  Phase phase_ = Phase::loading;
  bool expired_ = false;
  std::optional<Error> refused_;
  std::vector<Contact> providers_;
  std::set<PeerId> seen_;
  std::vector<Contact> spare_;  // beyond their answer's share; at most kMostProviders
};

}  // namespace kadmesh
