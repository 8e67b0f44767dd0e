// An operation on the rows of one kind that lie together: one look at who is there (kad/survey.h)
// in place of a walk for each row, then to each of these peers its rows in turn (kad/round.h).
//
//   surveying --somebody is there--> sending --> over
//
// A row counts as seen to when one of its peers took it.
#pragma once

#include "kad/round.h"
#include "kad/survey.h"

namespace kadmesh {

class RegionQuery : public Query {
 public:
  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) override;
  void on_failure(Turn turn, const PeerId& peer) override;
  void on_refused(Turn turn, const PeerId& peer) override;
  void on_candidate(const Contact& contact) override { survey_.on_candidate(contact); }
  void on_stored(Turn turn, StoreTag tag, const StoreResult& result) override;
  void on_deadline(Turn turn) override;

 protected:
  // Around `key`. Rows at places before `from` are left out, where that lies in the region.
  RegionQuery(const KadView& view, Kind kind, Bytes key, std::uint64_t from, Turn turn,
              Time deadline);

  QueryStep advance(Turn turn) override;

  const KadView& view() const { return view_; }
  const Region& region() const { return survey_.region(); }

 private:
  // Whom a row is for, and what they are sent; a row that is for nobody is passed over.
  virtual std::vector<Contact> recipients(Turn turn, const Row& row) const = 0;
  virtual KadMessage message(Turn turn, const Row& row) const = 0;
  // Of a row that somebody took.
  virtual std::optional<QueryStep> on_taken(const Row&) { return std::nullopt; }

  void begin_round();
  QueryStep send(Turn turn);
  QueryStep finished() const;

  const KadView& view_;
  Kind kind_;
  std::uint64_t from_;
  Time deadline_;
  Survey survey_;
  std::optional<Round> round_;
  bool over_ = false, missed_ = false;
};

}  // namespace kadmesh
