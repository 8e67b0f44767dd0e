#include "kad/replicate_query.h"

#include <limits>

#include "kad/delivery.h"
#include "kad/rows.h"

namespace kadmesh {

KadMessage copy_message(Turn turn, const Row& row) {
  return put_message({row.key, row.value, {}, ttl_of(turn, row)});
}

ReplicateQuery::ReplicateQuery(const KadView& view, Turn turn, Time deadline)
    : view_(view),
      deadline_(deadline),
      survey_(view, to_bytes(view.self.bytes()), turn, survey_deadline(turn.now.mono, deadline)) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  first(UseStore{StoreTag::value, Near{Kind::value, 0, kLast, {}, {}, 1}});
}

QueryStep ReplicateQuery::advance(Turn turn) {
  if (phase_ == Phase::peeking) return Rest{deadline_};
  if (phase_ == Phase::surveying) {
    if (auto step = survey_.next(turn)) return *std::move(step);
    phase_ = survey_.found() ? Phase::sending : Phase::over;
    if (survey_.found()) begin_round();
  }
  while (round_ && round_->poll()) {
  }
  if (phase_ == Phase::sending)
    if (auto step = round_->next(turn)) return *std::move(step);
  return Finished{ClosestReport{}, {}};
}

void ReplicateQuery::begin_round() {
  const Prefix& part = survey_.region().prefix();
  const auto to = [this](Turn turn, const Row& row) { return recipients(turn, row); };
  round_.emplace(Kind::value, part.first_place(), part.last_place(), Round::Rules{to, copy_message},
                 deadline_);
}

std::vector<Contact> ReplicateQuery::recipients(Turn turn, const Row& row) const {
  const WallTime now = turn.now.wall;
  const bool fresh =
      row.received <= now && after(row.received, view_.config.replicate_interval) > now;
  if (fresh || !view_.config.validators.validate(row.key, row.value, now)) return {};
  const KadId key = KadId::of(row.key);
  auto closest = survey_.region().closest(key);
  const auto away = [&](const PeerId& peer) { return distance(KadId::of(peer), key); };
  const bool ours = closest.size() < view_.config.k || away(view_.self) < away(closest.back().peer);
  return ours ? std::move(closest) : std::vector<Contact>{};
}

Result<void> ReplicateQuery::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  if (round_) return round_->on_reply(turn, peer, message);
  survey_.on_answer(peer, message);
  return {};
}

void ReplicateQuery::on_refused(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_refused(turn, peer);
  else
    survey_.on_failure(peer);
}

void ReplicateQuery::on_failure(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_failure(turn, peer);
  else
    survey_.on_failure(peer);
}

void ReplicateQuery::on_stored(Turn turn, StoreTag, const StoreResult& result) {
  if (round_) return round_->on_stored(turn, result);
  if (phase_ == Phase::peeking)
    phase_ = result && !result->empty() ? Phase::surveying : Phase::over;
}

void ReplicateQuery::on_deadline(Turn) {
  phase_ = Phase::over;
  survey_.expire();
  if (round_) round_->expire();
}

}  // namespace kadmesh
