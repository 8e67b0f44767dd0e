#include "kad/provide_query.h"

#include "kad/rows.h"

namespace kadmesh {

ProvideQuery::ProvideQuery(const KadView& view, Bytes key, Turn turn, Time deadline)
    : view_(view),
      key_(std::move(key)),
      deadline_(deadline),
      search_(view, KadId::of(key_), {KadType::find_node, key_, {}, {}, {}}, turn.now.mono,
              walk_deadline(turn.now.mono, deadline)) {
  if (auto fits = check_provider_key(key_); !fits) {
    refused_ = fits.error();
    phase_ = Phase::done;
    return;
  }
  first(UseStore{StoreTag::value, Save{provider_row(view_.config, turn, key_, view_.self)}});
  first(UseStore{StoreTag::ours, Save{providing_row(key_, kNeverDelivered)}});
}

QueryStep ProvideQuery::advance(Turn turn) {
  switch (phase_) {
    case Phase::saving:
      return Rest{deadline_};
    case Phase::searching:
      return search(turn);
    case Phase::announcing:
      return announce_next(turn);
    case Phase::done:
      break;
  }
  return Finished{report(turn), {}};
}

void ProvideQuery::on_stored(Turn, StoreTag tag, const StoreResult& result) {
  if (phase_ != Phase::saving) return;
  (tag == StoreTag::value ? stored_ : providing_) = result.has_value();
  if (--saves_due_ == 0) phase_ = Phase::searching;
}

QueryStep ProvideQuery::search(Turn turn) {
  if (auto step = search_.next(turn)) return *std::move(step);
  phase_ = Phase::announcing;
  std::vector<Contact> to;
  if (!view_.own_addrs.empty()) to = search_.lookup().answered(view_.config.k);
  KadMessage message{KadType::add_provider, key_, {}, {}, {view_.own_entry()}};
  delivery_.emplace(std::move(to), std::move(message), false);
  return announce_next(turn);
}

QueryStep ProvideQuery::announce_next(Turn turn) {
  if (auto ask = delivery_->next()) return *std::move(ask);
  if (!delivery_->done()) return Rest{deadline_};
  conclude(turn);
  return next(turn);
}

void ProvideQuery::conclude(Turn turn) {
  phase_ = Phase::done;
  if (delivery_ && delivery_->taken() > 0)
    first(UseStore{StoreTag::unawaited, Save{providing_row(key_, turn.now.wall)}});
}

Result<void> ProvideQuery::on_reply(Turn, const PeerId& peer, const KadMessage& message) {
  if (delivery_)
    delivery_->on_taken(peer);
  else
    search_.on_answer(peer, message);
  return {};
}

void ProvideQuery::on_failure(Turn, const PeerId& peer) {
  if (delivery_)
    delivery_->on_failure(peer);
  else
    search_.on_failure(peer);
}

void ProvideQuery::on_deadline(Turn turn) {
  search_.expire();
  if (phase_ != Phase::done) conclude(turn);
}

void ProvideQuery::on_cancelled(Turn turn) {
  on_deadline(turn);
  first(UseStore{StoreTag::unawaited, Erase{Kind::providing, key_, {}}});
  first(UseStore{StoreTag::unawaited, Erase{Kind::provider, key_, to_bytes(view_.self.bytes())}});
}

Result<KadReport> ProvideQuery::report(Turn turn) const {
  if (refused_) return std::unexpected(*refused_);
  ProvideReport report;
  report.key = key_;
  report.stored_locally = stored_;
  report.contacted = delivery_ ? delivery_->taken() : 0;
  report.pending = providing_ && report.contacted == 0;
  for (const Contact& contact : search_.lookup().known(view_.config.k))
    report.closest.push_back(contact.peer);
  report.walk = search_.walk(turn.now.mono);
  if (!stored_ && report.contacted == 0)
    return fail(Errc::io, "neither stored here nor announced to a peer");
  return report;
}

}  // namespace kadmesh
