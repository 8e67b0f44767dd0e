#include "kad/put_query.h"

#include "kad/rows.h"

namespace kadmesh {
namespace {

std::optional<Error> refusal(const KadView& view, Turn turn, const Bytes& key, const Bytes& value) {
  if (auto fits = check_record_size(view.config, key, value); !fits) return fits.error();
  if (auto valid = view.config.validators.validate(key, value, turn.now.wall); !valid)
    return valid.error();
  return std::nullopt;
}

}  // namespace

PutQuery::PutQuery(const KadView& view, Bytes key, Bytes value, Turn turn, Time deadline)
    : view_(view),
      record_{std::move(key), std::move(value), {}},
      deadline_(deadline),
      search_(view, KadId::of(record_.key), {KadType::find_node, record_.key, {}, {}, {}},
              turn.now.mono, walk_deadline(turn.now.mono, deadline)) {
  refused_ = refusal(view, turn, record_.key, record_.value);
  if (refused_)
    phase_ = Phase::done;
  else
    first(UseStore{StoreTag::value, Load{Kind::value, record_.key}});
}

QueryStep PutQuery::advance(Turn turn) {
  switch (phase_) {
    case Phase::loading:
    case Phase::saving:
      return Rest{deadline_};
    case Phase::searching:
      return search(turn);
    case Phase::delivering:
      return deliver_next(turn);
    case Phase::done:
      break;
  }
  return Finished{report(turn), {}};
}

void PutQuery::on_stored(Turn turn, StoreTag tag, const StoreResult& result) {
  if (phase_ == Phase::loading) {
    if (result && !result->empty() && better(view_.config, turn, result->front(), record_.value)) {
      refused_ = Error{Errc::refused, "a better value is stored here"};
      phase_ = Phase::done;
      return;
    }
    return save(turn);
  }
  if (phase_ != Phase::saving) return;
  (tag == StoreTag::value ? stored_ : publishing_) = result.has_value();
  if (--saves_due_ == 0) phase_ = Phase::searching;
}

void PutQuery::save(Turn turn) {
  phase_ = Phase::saving;
  saves_due_ = 2;
  first(UseStore{StoreTag::value, Save{value_row(view_.config, turn, record_.key, record_.value)}});
  first(
      UseStore{StoreTag::ours, Save{publishing_row(record_.key, record_.value, kNeverDelivered)}});
}

QueryStep PutQuery::search(Turn turn) {
  if (auto step = search_.next(turn)) return *std::move(step);
  phase_ = Phase::delivering;
  delivery_.emplace(search_.lookup().answered(view_.config.k), put_message(record_), true);
  return deliver_next(turn);
}

QueryStep PutQuery::deliver_next(Turn turn) {
  if (auto ask = delivery_->next()) return *std::move(ask);
  if (!delivery_->done()) return Rest{deadline_};
  conclude(turn);
  return next(turn);
}

void PutQuery::conclude(Turn turn) {
  phase_ = Phase::done;
  if (publishing_ && delivery_ && delivery_->taken() > 0)
    first(UseStore{StoreTag::unawaited,
                   Save{publishing_row(record_.key, record_.value, turn.now.wall)}});
}

Result<void> PutQuery::on_reply(Turn, const PeerId& peer, const KadMessage& message) {
  if (!delivery_) {
    search_.on_answer(peer, message);
    return {};
  }
  RETURN_IF_ERROR(check_echo(message, record_));
  delivery_->on_taken(peer);
  return {};
}

void PutQuery::on_failure(Turn, const PeerId& peer) {
  if (delivery_)
    delivery_->on_failure(peer);
  else
    search_.on_failure(peer);
}

void PutQuery::on_deadline(Turn turn) {
  search_.expire();
  if (phase_ != Phase::done) conclude(turn);
}

void PutQuery::on_cancelled(Turn turn) {
  on_deadline(turn);
  first(UseStore{StoreTag::unawaited, Erase{Kind::publishing, record_.key, {}}});
}

Result<KadReport> PutQuery::report(Turn turn) const {
  if (refused_) return std::unexpected(*refused_);
  PutReport report;
  report.key = record_.key;
  report.stored_locally = stored_;
  report.contacted = delivery_ ? delivery_->asked() : 0;
  report.acknowledged = delivery_ ? delivery_->taken() : 0;
  report.pending = publishing_ && report.acknowledged == 0;
  for (const Contact& contact : search_.lookup().known(view_.config.k))
    report.closest.push_back(contact.peer);
  report.walk = search_.walk(turn.now.mono);
  if (!stored_ && report.acknowledged == 0)
    return fail(Errc::io,
                "stored neither here nor at a peer; contacted " + std::to_string(report.contacted));
  return report;
}

}  // namespace kadmesh
