// ADD_PROVIDER for many keys that lie together (kad/region_query.h). Each key goes to its k closest
// in the region. What was not finished by the deadline stays due.
#pragma once

#include <functional>

#include "kad/region_query.h"

namespace kadmesh {

class SweepQuery final : public RegionQuery {
 public:
  // Whether a row is to be announced.
  using Wanted = std::function<bool(Turn, const Row&)>;

  // Around `key`, one of those that are to be announced.
  SweepQuery(const KadView& view, Bytes key, Wanted wanted, Turn turn, Time deadline)
      : RegionQuery(view, Kind::providing, std::move(key), 0, turn, deadline),
        wanted_(std::move(wanted)) {}

 private:
  std::vector<Contact> recipients(Turn turn, const Row& row) const override;
  KadMessage message(Turn turn, const Row& row) const override;
  std::optional<QueryStep> on_taken(const Row& row) override { return Announced{row.key}; }

  Wanted wanted_;
};

}  // namespace kadmesh
