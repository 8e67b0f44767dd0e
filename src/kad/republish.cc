#include "kad/republish.h"

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "kad/params.h"
#include "kad/rows.h"

namespace kadmesh {

void Republish::on_reachable(Turn turn) {
  reachable_ = true;
  next_pass_ = turn.now.mono;
}

void Republish::on_unreachable() {
  reachable_ = false;
  pass_.reset();
}

void Republish::on_news(Turn turn) {
  if (!undelivered_.empty()) next_pass_by(turn.now.mono);
}

void Republish::next_pass_by(Time when) { next_pass_ = std::min(next_pass_, when); }

void Republish::on_started(const Item& item) { ++busy_[item]; }

void Republish::on_ended(Turn turn, const Item& item, bool pending) {
  if (const auto at = busy_.find(item); at != busy_.end() && --at->second == 0) busy_.erase(at);
  if (!pending) {
    undelivered_.erase(item);
    return;
  }
  if (undelivered_.size() < kMostPending) undelivered_.insert(item);
  next_pass_by(after(turn.now.mono, kPendingRetry));
}

void Republish::on_scanned(Turn turn, const StoreResult& rows) {
  if (!pass_ || !pass_->scanning) return;
  pass_->scanning = false;
  pass_->more = rows && rows->size() == kRepublishPage;
  if (!rows) return;
  for (const Row& row : *rows) {
    const Item item{row.kind, row.key};
    if (row.received == kNeverDelivered && undelivered_.size() < kMostPending)
      undelivered_.insert(item);
    if (due(turn, row)) pass_->due.push_back({item, row.value});
  }
  if (!rows->empty()) pass_->after_key = rows->back().key;
}

bool Republish::due(Turn turn, const Row& row) const {
  if (row.received == kNeverDelivered) return true;
  // The clock was ahead then: nobody else will hold it until that time comes again.
  if (row.received > turn.now.wall) return true;
  return turn.now.wall >= after(row.received, interval_ - earlier(row.key));
}

Duration Republish::earlier(const Bytes& key) const {
  const std::array<ByteView, 2> pieces{self_.bytes(), key};
  const Sha256 hash = sha256(pieces);
  std::uint64_t draw = 0;
  for (const std::uint8_t byte : std::span(hash).first<7>()) draw = draw << 8 | byte;
  const auto most = static_cast<std::uint64_t>((interval_ / kRepublishJitter).count());
  return Duration(static_cast<std::int64_t>(most == 0 ? 0 : draw % most));
}

std::optional<std::variant<Scan, Republish::Due>> Republish::poll(Turn turn) {
  if (!reachable_) return std::nullopt;
  if (!pass_) begin_pass_if_due(turn.now.mono);
  while (pass_ && !pass_->scanning) {
    while (!pass_->due.empty() && busy_.size() < kMostRepublishing) {
      Due next = std::move(pass_->due.front());
      pass_->due.pop_front();
      if (!busy_.contains(next.item)) return next;
    }
    if (!pass_->due.empty()) return std::nullopt;
    if (pass_->more) {
      pass_->scanning = true;
      return Scan{pass_->kind, pass_->after_key, {}, kRepublishPage};
    }
    if (pass_->kind == Kind::providing) {
      pass_.reset();
      begin_pass_if_due(turn.now.mono);  // it may have taken longer than the pause after it
    } else {
      pass_ = Pass{};
      pass_->kind = Kind::providing;
    }
  }
  return std::nullopt;
}

void Republish::begin_pass_if_due(Time now) {
  if (now < next_pass_) return;
  pass_ = Pass{};
  next_pass_ = after(now, undelivered_.empty() ? kRepublishCheck : kPendingRetry);
}

Time Republish::next_timer() const { return reachable_ && !pass_ ? next_pass_ : kNever; }

std::size_t Republish::pending(Kind kind) const {
  return static_cast<std::size_t>(
      std::ranges::count(undelivered_, kind, [](const Item& item) { return item.first; }));
}

}  // namespace kadmesh
