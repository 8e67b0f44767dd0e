#include "kad/hand_over_query.h"

#include <algorithm>

#include "kad/params.h"
#include "kad/region.h"
#include "kad/replicate_query.h"

namespace kadmesh {
namespace {

// Where our k nearest lie, as the table knows them: a key for which we and one of them are among
// the closest lies there.
Prefix neighbourhood(const KadView& view) {
  const KadId self = KadId::of(view.self);
  const auto nearest = view.table.to_ask(self, view.config.k);
  if (nearest.size() < view.config.k) return {self, 0};
  return {self, common_prefix(self, KadId::of(nearest.back().peer))};
}

}  // namespace

HandOverQuery::HandOverQuery(const KadView& view, const PeerId& newcomer, Time deadline)
    : HandOverQuery(view, newcomer, neighbourhood(view), deadline) {}

HandOverQuery::HandOverQuery(const KadView& view, const PeerId& newcomer, const Prefix& among,
                             Time deadline)
    : view_(view),
      newcomer_(newcomer),
      round_(Kind::value, among.first_place(), among.last_place(),
             {[this](Turn turn, const Row& row) { return recipient(turn, row); }, copy_message},
             deadline) {}

QueryStep HandOverQuery::advance(Turn turn) {
  while (round_.poll()) {
  }
  if (!view_.table.find(newcomer_)) round_.expire();
  if (auto step = round_.next(turn)) return *std::move(step);
  return Finished{ClosestReport{}, {}};
}

std::vector<Contact> HandOverQuery::recipient(Turn turn, const Row& row) const {
  const KadId key = KadId::of(row.key);
  const auto closest = view_.table.to_ask(key, view_.config.k);
  const auto at = std::ranges::find(closest, newcomer_, &Contact::peer);
  if (at == closest.end()) return {};
  const auto away = [&](const PeerId& peer) { return distance(KadId::of(peer), key); };
  const auto nearer = std::ranges::count_if(closest, [&](const Contact& other) {
    return other.peer != newcomer_ && away(other.peer) < away(view_.self);
  });
  if (nearer >= kHandingOver) return {};
  if (!view_.config.validators.validate(row.key, row.value, turn.now.wall)) return {};
  return {*at};
}

}  // namespace kadmesh
