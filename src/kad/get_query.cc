#include "kad/get_query.h"

#include <algorithm>
#include <array>

#include "kad/rows.h"

namespace kadmesh {

GetQuery::GetQuery(const KadView& view, Bytes key, std::size_t quorum, Time started, Time deadline)
    : view_(view),
      key_(std::move(key)),
      deadline_(deadline),
      search_(view, KadId::of(key_), {KadType::get_value, key_, {}, {}, {}}, started, deadline),
      quorum_(quorum) {}

bool GetQuery::has_quorum() const {
  return quorum_ > 0 && holders_.size() + (local_ ? 1 : 0) >= quorum_;
}

QueryStep GetQuery::advance(Turn turn) {
  if (phase_ == Phase::done) return finish(turn);
  if (phase_ == Phase::loading) {
    if (auto known = view_.config.validators.accepts(key_); !known)
      return Finished{std::unexpected(known.error()), {}};
    if (std::exchange(asked_store_, true)) return Rest{deadline_};
    return UseStore{StoreTag::value, Load{Kind::value, key_}};
  }
  if (has_quorum() && !search_.over()) search_.stop();
  if (auto step = search_.next(turn, best_.has_value())) return *std::move(step);
  phase_ = Phase::done;
  return finish(turn);
}

void GetQuery::on_stored(Turn turn, StoreTag, const StoreResult& result) {
  if (phase_ != Phase::loading) return;
  phase_ = Phase::searching;
  if (!result || result->empty()) return;
  local_row_ = *result;
  const Row& row = local_row_.front();
  if (view_.config.validators.validate(key_, row.value, turn.now.wall))
    local_ = consider(row.value, ttl_of(turn, row));
  else
    first(UseStore{StoreTag::unawaited, Erase{Kind::value, key_, {}, row.value}});
}

Result<void> GetQuery::on_reply(Turn turn, const PeerId& peer, const KadMessage& message) {
  if (message.record && message.record->key != key_)
    return fail(Errc::protocol, "GET_VALUE answered with the record of another key");
  search_.on_answer(peer, message);
  if (!message.record) return {};
  const Bytes& value = message.record->value;
  // An invalid value is none; the closer peers beside it are as good as any.
  if (!check_record_size(view_.config, key_, value)) return {};
  if (!view_.config.validators.validate(key_, value, turn.now.wall)) return {};
  (consider(value, message.record->ttl) ? holders_ : stale_).insert(peer);
  return {};
}

bool GetQuery::consider(const Bytes& value, std::optional<std::uint32_t> ttl) {
  if (!best_) {
    best_ = value;
    ttl_ = ttl;
  }
  if (*best_ == value) {
    ttl_ = ttl_ && ttl ? std::optional(std::max(*ttl_, *ttl)) : std::nullopt;
    return true;
  }
  const std::array both{*best_, value};
  if (view_.config.validators.select(key_, both) != 1) return false;
  best_ = value;
  ttl_ = ttl;
  stale_.merge(std::exchange(holders_, {}));
  local_worse_ = local_worse_ || std::exchange(local_, false);
  return true;
}

void GetQuery::on_failure(Turn, const PeerId& peer) { search_.on_failure(peer); }

void GetQuery::on_deadline(Turn) {
  search_.expire();
  expired_ = true;
  phase_ = Phase::done;
}

QueryStep GetQuery::finish(Turn turn) {
  const Walk walk = search_.walk(turn.now.mono);
  if (!best_) return Finished{std::unexpected(nothing_found(view_, walk, expired_)), {}};
  if (std::exchange(local_worse_, false)) return UseStore{StoreTag::unawaited, replacement(turn)};
  return Finished{GetReport{key_, *best_, holders_.size(), local_, walk}, repair()};
}

Save GetQuery::replacement(Turn turn) const {
  const Row& worse = local_row_.front();
  Row row = value_row(view_.config, turn, key_, *best_);
  row.charge = worse.charge;
  if (ttl_) row.expires = std::min(row.expires, after(turn.now.wall, seconds_clamped(*ttl_)));
  row.expires = std::max(row.expires, kept_until(view_.config, turn, worse));
  return {std::move(row), place_of(view_.self.bytes()), local_row_};
}

std::optional<Repair> GetQuery::repair() const {
  std::vector<Contact> stale = search_.lookup().answered(view_.config.k);
  std::erase_if(stale, [&](const Contact& c) {
    return has_quorum() ? !stale_.contains(c.peer) : holders_.contains(c.peer);
  });
  if (stale.empty()) return std::nullopt;
  return Repair{std::move(stale), {key_, *best_, {}, ttl_}};
}

}  // namespace kadmesh
