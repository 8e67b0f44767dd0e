#include "kad/region_query.h"

#include <algorithm>

namespace kadmesh {

RegionQuery::RegionQuery(const KadView& view, Kind kind, Bytes key, std::uint64_t from, Turn turn,
                         Time deadline)
    : view_(view),
      kind_(kind),
      from_(from),
      deadline_(deadline),
      survey_(view, std::move(key), turn, survey_deadline(turn.now.mono, deadline)) {}

QueryStep RegionQuery::advance(Turn turn) {
  if (round_) return send(turn);
  if (auto step = survey_.next(turn)) return *std::move(step);
  if (over_ || !survey_.found()) return finished();
  begin_round();
  return send(turn);
}

void RegionQuery::begin_round() {
  const Prefix& part = region().prefix();
  const bool inside = part.first_place() <= from_ && from_ <= part.last_place();
  round_.emplace(kind_, inside ? from_ : part.first_place(), part.last_place(),
                 Round::Rules{[this](Turn turn, const Row& row) { return recipients(turn, row); },
                              [this](Turn turn, const Row& row) { return message(turn, row); }},
                 deadline_);
}

QueryStep RegionQuery::send(Turn turn) {
  while (const auto settled = round_->poll()) {
    if (!settled->taken)
      missed_ = true;
    else if (auto step = on_taken(settled->row))
      return *std::move(step);
  }
  if (auto step = round_->next(turn)) return *std::move(step);
  return finished();
}

QueryStep RegionQuery::finished() const {
  if (!round_) return Finished{ClosestReport{}, {}, Swept{}};
  const bool to_end = !round_->cut_short();
  return Finished{ClosestReport{}, {}, Swept{round_->up_to(), missed_ || !to_end, to_end}};
}

Result<void> RegionQuery::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  if (round_) return round_->on_reply(turn, peer, message);
  survey_.on_answer(peer, message);
  return {};
}

void RegionQuery::on_refused(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_refused(turn, peer);
  else
    survey_.on_failure(peer);
}

void RegionQuery::on_failure(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_failure(turn, peer);
  else
    survey_.on_failure(peer);
}

void RegionQuery::on_stored(Turn turn, StoreTag, const StoreResult& result) {
  if (round_) round_->on_stored(turn, result);
}

void RegionQuery::on_deadline(Turn) {
  over_ = true;
  survey_.expire();
  if (round_) round_->expire();
}

}  // namespace kadmesh
