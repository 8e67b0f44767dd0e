#include "kad/sweep_query.h"

namespace kadmesh {

std::vector<Contact> SweepQuery::recipients(Turn turn, const Row& row) const {
  if (!wanted_(turn, row)) return {};
  return region().closest(KadId::of(row.key));
}

KadMessage SweepQuery::message(Turn, const Row& row) const {
  return {KadType::add_provider, row.key, {}, {}, {view().own_entry()}};
}

}  // namespace kadmesh
