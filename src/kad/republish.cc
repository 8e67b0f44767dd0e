#include "kad/republish.h"

#include <algorithm>
#include <limits>

#include "kad/params.h"
#include "kad/rows.h"

namespace kadmesh {
namespace {

constexpr std::uint64_t kLastPlace = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void Republish::on_reachable(Turn turn) {
  reachable_ = true;
  all_ = turn.now.mono;
}

void Republish::on_unreachable() {
  reachable_ = false;
  if (pass_ && pass_->scanning) ++unwanted_;
  pass_.reset();
}

void Republish::on_news(Turn turn) {
  if (!undelivered_.empty()) again_by(turn.now.mono);
}

// Looks through everything.
void Republish::again_by(Time when) {
  any_ = true;
  all_ = std::min(all_, when);
}

void Republish::on_started(const Item& item) {
  ++busy_[item];
  any_ = true;
}

void Republish::on_ended(Turn turn, const Item& item, bool pending) {
  if (const auto at = busy_.find(item); at != busy_.end() && --at->second == 0) busy_.erase(at);
  if (sweeping_ && item.first == Kind::providing && overtaken_.size() < kMostPending)
    overtaken_.insert(item.second);
  if (!pending) {
    undelivered_.erase(item);
    return;
  }
  if (undelivered_.size() < kMostPending) undelivered_.insert(item);
  again_by(after(turn.now.mono, kPendingRetry));
}

// --- a page
void Republish::on_scanned(Turn turn, const StoreResult& rows) {
  if (unwanted_ > 0) return void(--unwanted_);
  if (!pass_ || !pass_->scanning) return;
  pass_->scanning = false;
  pass_->more = rows && rows->size() == pass_->page.most;
  if (!rows) return again_by(after(turn.now.mono, kSweepRetry));
  any_ = any_ || !rows->empty();
  for (const Row& row : *rows) {
    const Item item{row.kind, row.key};
    if (row.received == kNeverDelivered && undelivered_.size() < kMostPending)
      undelivered_.insert(item);
    if (due(turn, row)) pass_->due.push_back({item, row.value, row.place});
  }
  if (!pass_->more) return;
  pass_->page.from = rows->back().place;
  pass_->page.after_key = rows->back().key;
}

bool Republish::due(Turn turn, const Row& row) const { return rota_.due(turn.now.wall, row); }

// --- sweeps
bool Republish::on_announced(const Bytes& key) {
  const Item item{Kind::providing, key};
  if (overtaken_.contains(key) || busy_.contains(item)) return false;
  if (overtaken_.size() == kMostPending) return false;
  undelivered_.erase(item);
  return true;
}

void Republish::on_swept(Turn turn, const Swept& swept) {
  sweeping_ = false;
  overtaken_.clear();
  if (swept.missed && swept.up_to) again_by(after(turn.now.mono, kSweepRetry));
  if (!pass_ || !std::exchange(pass_->sweeping, false)) return;
  if (swept.up_to && *swept.up_to >= pass_->due.front().place)
    go_on_behind(*swept.up_to);
  else
    pass_->singly = pass_->due.size();
}

void Republish::go_on_behind(std::uint64_t place) {
  while (!pass_->due.empty() && pass_->due.front().place <= place) pass_->due.pop_front();
  if (place < pass_->page.from) return;
  pass_->more = pass_->more && place < pass_->page.to;
  pass_->page.from = pass_->more ? place + 1 : place;
  pass_->page.after_key.clear();
}

// The k closest of keys in one part of the space are much the same where that holds k peers: as
// deep as buckets are full.
bool Republish::swept_at_once(const RoutingTable& table) const {
  const auto& due = pass_->due;
  if (due.size() < kLeastSwept || due.front().item.first != Kind::providing) return false;
  const auto bits = table.region_bits();
  const std::uint64_t apart = due.front().place ^ due[kLeastSwept - 1].place;
  return bits && (*bits == 0 || apart >> (64 - std::min(*bits, 63U)) == 0);
}

// --- passes
bool Republish::looks_at_all(Turn turn) const {
  const std::int64_t behind = rota_.latest(turn.now.wall) - looked_after_;
  return turn.now.mono >= all_ || behind < 0 || behind >= rota_.slices();
}

void Republish::begin_pass(Turn turn) {
  if (looks_at_all(turn)) {
    all_ = kNever;
    any_ = !busy_.empty();
    looked_after_ = rota_.latest(turn.now.wall);
    pass_ = Pass(0, kLastPlace);
  } else if (any_ && looked_after_ < rota_.latest(turn.now.wall)) {
    ++looked_after_;
    pass_ = Pass(rota_.first_place(looked_after_), rota_.last_place(looked_after_));
  }
  const Duration wait = rota_.moment(rota_.latest(turn.now.wall) + 1) - turn.now.wall;
  rota_check_ = after(turn.now.mono, std::clamp<Duration>(wait, 1ms, kRepublishCheck));
}

void Republish::end_pass(Turn turn) {
  pass_.reset();
  begin_pass(turn);  // it may have outlasted the next moment
}

// False at the end of the pass.
bool Republish::next_page() {
  if (!pass_->more) {
    if (pass_->page.kind == Kind::providing) return false;
    pass_->page = {Kind::providing, pass_->begin, pass_->page.to, {}, {}, kRepublishPage};
    pass_->more = true;
  }
  pass_->scanning = true;
  return true;
}

std::optional<Republish::Next> Republish::hand_out(const RoutingTable* table) {
  auto& due = pass_->due;
  while (!due.empty() && busy_.size() < kMostRepublishing) {
    if (pass_->singly == 0 && table != nullptr && swept_at_once(*table)) {
      if (sweeping_) return std::nullopt;
      pass_->sweeping = sweeping_ = true;
      return Sweep{due.front().item.second};
    }
    Due next = std::move(due.front());
    due.pop_front();
    if (pass_->singly > 0) --pass_->singly;
    if (!busy_.contains(next.item)) return next;
  }
  return std::nullopt;
}

std::optional<Republish::Next> Republish::poll(Turn turn, const RoutingTable* table) {
  if (!reachable_) return std::nullopt;
  if (!pass_ && turn.now.mono >= std::min(all_, rota_check_)) begin_pass(turn);
  while (pass_ && !pass_->scanning && !pass_->sweeping) {
    if (auto next = hand_out(table)) return next;
    if (!pass_->due.empty()) return std::nullopt;
    if (next_page()) return pass_->page;
    end_pass(turn);
  }
  return std::nullopt;
}

Time Republish::next_timer() const {
  if (!reachable_ || pass_) return kNever;
  return any_ ? std::min(all_, rota_check_) : all_;
}

std::size_t Republish::pending(Kind kind) const {
  return static_cast<std::size_t>(
      std::ranges::count(undelivered_, kind, [](const Item& item) { return item.first; }));
}

}  // namespace kadmesh
