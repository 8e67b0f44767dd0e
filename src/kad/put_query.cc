#include "kad/put_query.h"

#include <utility>

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
  if (auto why = refusal(view, turn, record_.key, record_.value))
    refuse(*std::move(why));
  else
    load();
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
  if (phase_ == Phase::loading)
    (tag == StoreTag::value ? seen_value_ : seen_ours_) =
        result ? std::optional(*result) : std::nullopt;
  else if (phase_ == Phase::saving)
    saved(tag, result);
  else
    return;
  if (--answers_due_ > 0) return;
  if (phase_ == Phase::loading)
    loaded(turn);
  else if (overtaken_)
    load();
  else
    phase_ = Phase::searching;
}

void PutQuery::load() {
  phase_ = Phase::loading;
  answers_due_ = 2;
  overtaken_ = false;
  first(UseStore{StoreTag::value, Load{Kind::value, record_.key}});
  first(UseStore{StoreTag::ours, Load{Kind::publishing, record_.key}});
}

void PutQuery::loaded(Turn turn) {
  if (seen_value_ && !seen_value_->empty() &&
      better(view_.config, turn, seen_value_->front(), record_.value))
    refuse({Errc::refused, "a better value is stored here"});
  else
    save(turn);
}

// What is invalid by now is ours no longer: the same row, if it is there, and not the better one of
// another put. What is only surpassed stays: whoever surpassed it may have done so by a form of the
// same record (IPNS), and may let it lapse.
void PutQuery::refuse(Error why) {
  phase_ = Phase::done;
  if (why.code != Errc::limit && why.code != Errc::refused)
    first(UseStore{StoreTag::unawaited, Erase{Kind::publishing, record_.key, {}, record_.value}});
  refused_ = std::move(why);
}

void PutQuery::save(Turn turn) {
  phase_ = Phase::saving;
  answers_due_ = 2;
  Row value = value_row(view_.config, turn, record_.key, record_.value);
  Row ours = publishing_row(record_.key, record_.value, kNeverDelivered);
  first(UseStore{StoreTag::value, Save{std::move(value), 0, seen_value_}});
  first(UseStore{StoreTag::ours, Save{ours, 0, seen_ours_}});
  // If the disk does not take it, what was there is there still.
  if (seen_ours_) seen_ours_->push_back(std::move(ours));
}

void PutQuery::saved(StoreTag tag, const StoreResult& result) {
  (tag == StoreTag::value ? stored_ : publishing_) = result.has_value();
  overtaken_ = overtaken_ || (!result && result.error().code == Errc::refused);
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
  if (delivery_ && delivery_->taken() > 0)
    first(UseStore{StoreTag::unawaited,
                   Save{publishing_row(record_.key, record_.value, turn.now.wall), 0, seen_ours_}});
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
  first(UseStore{StoreTag::unawaited, Erase{Kind::publishing, record_.key, {}, record_.value}});
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
