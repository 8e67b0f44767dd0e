#include "kad/replicate_query.h"

#include <limits>

#include "kad/delivery.h"
#include "kad/rows.h"

namespace kadmesh {

KadMessage copy_message(Turn turn, const Row& row) {
  return put_message({row.key, row.value, {}, ttl_of(turn, row)});
}

ReplicateQuery::ReplicateQuery(const KadView& view, std::uint64_t from, Turn turn, Time deadline)
    : RegionQuery(view, Kind::value, to_bytes(view.self.bytes()), from, turn, deadline),
      deadline_(deadline) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  first(UseStore{StoreTag::value, Near{Kind::value, 0, kLast, {}, {}, 1}});
}

QueryStep ReplicateQuery::advance(Turn turn) {
  if (peek_ == Peek::something) return RegionQuery::advance(turn);
  if (peek_ == Peek::asked) return Rest{deadline_};
  if (peek_ == Peek::failed) return Finished{ClosestReport{}, {}, Swept{}};
  return Finished{ClosestReport{}, {}, Swept{{}, false, true}};
}

void ReplicateQuery::on_stored(Turn turn, StoreTag tag, const StoreResult& result) {
  if (peek_ != Peek::asked) return RegionQuery::on_stored(turn, tag, result);
  peek_ = !result ? Peek::failed : result->empty() ? Peek::nothing : Peek::something;
}

void ReplicateQuery::on_deadline(Turn turn) {
  if (peek_ == Peek::asked) peek_ = Peek::failed;
  RegionQuery::on_deadline(turn);
}

bool ReplicateQuery::fresh(WallTime now, const Row& row) const {
  return row.received <= now && after(row.received, view().config.replicate_interval) > now;
}

std::vector<Contact> ReplicateQuery::recipients(Turn turn, const Row& row) const {
  const WallTime now = turn.now.wall;
  if (fresh(now, row) || !view().config.validators.validate(row.key, row.value, now)) return {};
  const KadId key = KadId::of(row.key);
  auto closest = region().closest(key);
  const auto away = [&](const PeerId& peer) { return distance(KadId::of(peer), key); };
  const bool ours =
      closest.size() < view().config.k || away(view().self) < away(closest.back().peer);
  return ours ? std::move(closest) : std::vector<Contact>{};
}

KadMessage ReplicateQuery::message(Turn turn, const Row& row) const {
  return copy_message(turn, row);
}

}  // namespace kadmesh
