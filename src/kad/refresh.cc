#include "kad/refresh.h"

#include <algorithm>

#include "kad/params.h"
#include "kad/random_key.h"

namespace kadmesh {

void Refresh::on_joined(Turn turn) {
  gap_ = kFirstSelfLookup;
  next_self_ = turn.now.mono;
  next_buckets_ = after(turn.now.mono, kFirstBucketRefresh);
}

void Refresh::on_isolated() {
  next_self_ = next_buckets_ = kNever;
  buckets_.clear();
}

void Refresh::on_new_address(Turn turn) {
  if (next_self_ == kNever) return;
  next_self_ = std::min(next_self_, std::max(turn.now.mono, soonest_self_));
}

void Refresh::self_lookup_started(Turn turn) {
  soonest_self_ = after(turn.now.mono, kFirstSelfLookup);
  next_self_ = after(turn.now.mono, gap_);
  gap_ = std::min(2 * gap_, interval_);
}

void Refresh::begin_round(Turn turn, std::optional<unsigned> depth) {
  if (turn.now.mono < next_buckets_) return;
  next_buckets_ = after(turn.now.mono, interval_);
  buckets_.clear();
  for (unsigned i = 0; depth && i <= std::min(*depth, kMostRefreshDepth); ++i)
    buckets_.push_back(i);
}

std::optional<Bytes> Refresh::next_key(Turn turn) {
  if (buckets_.empty()) return std::nullopt;
  const unsigned bucket = buckets_.front();
  buckets_.pop_front();
  return random_key(turn.rng, flipped(self_, bucket), bucket + 1);
}

Time Refresh::next_timer() const { return std::min(next_self_, next_buckets_); }

}  // namespace kadmesh
