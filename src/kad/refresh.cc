#include "kad/refresh.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {

std::optional<Bytes> random_key(Rng& rng, const KadId& self, unsigned prefix) {
  constexpr std::uint64_t kPatience = 16;  // times the average; missed once in 9 million
  const std::uint64_t tries = kPatience << (std::min(prefix, kMostRefreshDepth) + 1);
  Bytes key(34);
  key[0] = 0x12;  // a SHA-256 multihash: js reads the key as a peer id
  key[1] = 0x20;
  for (std::uint64_t i = 0; i < tries; ++i) {
    rng.fill(std::span(key).subspan(2));
    if (common_prefix(self, KadId::of(key)) == prefix) return key;
  }
  return std::nullopt;
}

void Refresh::on_joined(Turn turn) {
  gap_ = kFirstSelfLookup;
  next_self_ = turn.now.mono;
  next_buckets_ = after(turn.now.mono, kFirstBucketRefresh);
}

void Refresh::on_isolated() {
  next_self_ = next_buckets_ = kNever;
  buckets_.clear();
}

void Refresh::self_lookup_started(Turn turn) {
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
  return random_key(turn.rng, self_, bucket);
}

Time Refresh::next_timer() const { return std::min(next_self_, next_buckets_); }

}  // namespace kadmesh
