#include "kad/sweep_query.h"

namespace kadmesh {

SweepQuery::SweepQuery(const KadView& view, Bytes key, Wanted wanted, Turn turn, Time deadline)
    : view_(view),
      wanted_(std::move(wanted)),
      deadline_(deadline),
      survey_(view, std::move(key), turn, survey_deadline(turn.now.mono, deadline)) {}

QueryStep SweepQuery::advance(Turn turn) {
  if (round_) return announce(turn);
  if (auto step = survey_.next(turn)) return *std::move(step);
  if (over_ || !survey_.found()) return Finished{ClosestReport{}, {}, Swept{}};
  begin_round();
  return announce(turn);
}

void SweepQuery::begin_round() {
  const auto to = [this](Turn turn, const Row& row) {
    return wanted_(turn, row) ? survey_.region().closest(KadId::of(row.key))
                              : std::vector<Contact>{};
  };
  const auto message = [this](Turn, const Row& row) {
    return KadMessage{KadType::add_provider, row.key, {}, {}, {view_.own_entry()}};
  };
  const Prefix& part = survey_.region().prefix();
  round_.emplace(Kind::providing, part.first_place(), part.last_place(), Round::Rules{to, message},
                 deadline_);
}

QueryStep SweepQuery::announce(Turn turn) {
  while (const auto settled = round_->poll()) {
    if (settled->taken) return Announced{settled->row.key};
    missed_ = true;
  }
  if (auto step = round_->next(turn)) return *std::move(step);
  return Finished{ClosestReport{}, {}, Swept{round_->up_to(), missed_ || round_->cut_short()}};
}

Result<void> SweepQuery::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  if (round_) return round_->on_reply(turn, peer, message);
  survey_.on_answer(peer, message);
  return {};
}

void SweepQuery::on_refused(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_refused(turn, peer);
  else
    survey_.on_failure(peer);
}

void SweepQuery::on_failure(Turn turn, const PeerId& peer) {
  if (round_)
    round_->on_failure(turn, peer);
  else
    survey_.on_failure(peer);
}

void SweepQuery::on_stored(Turn turn, StoreTag, const StoreResult& result) {
  if (round_) round_->on_stored(turn, result);
}

void SweepQuery::on_deadline(Turn) {
  over_ = true;
  survey_.expire();
  if (round_) round_->expire();
}

}  // namespace kadmesh
