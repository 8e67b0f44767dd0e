#include "kad/replication.h"

#include <algorithm>

#include "base/jitter.h"
#include "kad/params.h"

namespace kadmesh {

void Replication::on_reachable(Turn turn) {
  reachable_ = true;
  joined_ = turn.now.mono;
  if (next_round_ == kNever) draw_round(turn);
}

void Replication::on_unreachable() {
  reachable_ = false;
  waiting_.clear();
}

void Replication::draw_round(Turn turn) {
  if (interval_ > 0s) next_round_ = after(turn.now.mono, drawn(turn.rng, interval_ / 2, interval_));
}

// False for who comes again and again, and when too many come to be told apart: a round makes up
// for it.
bool Replication::note_newcomer(Time now, const PeerId& peer) {
  std::erase_if(handed_, [&](const auto& item) { return now >= after(item.second, interval_); });
  return handed_.size() < kMostHandedOver && handed_.emplace(peer, now).second;
}

void Replication::on_neighbour(Turn turn, const PeerId& peer) {
  if (interval_ == 0s || waiting_.size() == kMostHandOvers) return;
  if (!reachable_ || turn.now.mono < after(joined_, kFirstBucketRefresh)) return;
  if (!note_newcomer(turn.now.mono, peer)) return;
  const Time when = after(turn.now.mono, drawn(turn.rng, 0s, std::min(interval_, kHandOverDelay)));
  const auto at = std::ranges::upper_bound(waiting_, when, {}, &Waiting::when);
  waiting_.insert(at, {when, peer});
}

std::optional<std::variant<Replication::Round, Replication::HandOver>> Replication::poll(
    Turn turn) {
  if (!reachable_) return std::nullopt;
  if (turn.now.mono >= hand_over_due()) {
    const PeerId peer = waiting_.front().peer;
    waiting_.pop_front();
    handing_over_ = true;
    return HandOver{peer};
  }
  if (turn.now.mono < round_due()) return std::nullopt;
  in_round_ = true;
  draw_round(turn);
  return Round{from_};
}

void Replication::on_round_ended(std::optional<std::uint64_t> seen_to, bool to_end) {
  in_round_ = false;
  if (to_end)
    from_ = 0;
  else if (seen_to)
    from_ = *seen_to + 1;
}

Time Replication::next_timer() const {
  return reachable_ ? std::min(round_due(), hand_over_due()) : kNever;
}

}  // namespace kadmesh
