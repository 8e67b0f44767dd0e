#include "kad/closest_query.h"

namespace kadmesh {

ClosestQuery::ClosestQuery(const KadView& view, Bytes target, Time started, Time deadline)
    : view_(view),
      target_(std::move(target)),
      search_(view, KadId::of(target_), {KadType::find_node, target_, {}, {}, {}}, started,
              deadline) {}

QueryStep ClosestQuery::advance(Turn turn) {
  if (target_.empty())
    return Finished{fail(Errc::invalid, "nothing is closest to an empty key"), {}};
  if (auto step = search_.next(turn)) return *std::move(step);
  const Walk walk = search_.walk(turn.now.mono);
  auto closest = search_.lookup().answered(view_.config.k);
  if (closest.empty()) return Finished{std::unexpected(nothing_found(view_, walk, expired_)), {}};
  return Finished{ClosestReport{target_, std::move(closest), walk}, {}};
}

Result<void> ClosestQuery::on_reply(Turn, const PeerId& peer, const KadMessage& message) {
  search_.on_answer(peer, message);
  return {};
}

void ClosestQuery::on_deadline(Turn) {
  search_.expire();
  expired_ = true;
}

}  // namespace kadmesh
