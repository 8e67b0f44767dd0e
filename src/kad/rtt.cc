#include "kad/rtt.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {

// --- one path
std::int64_t Rtt::weight(std::int64_t gain) const {
  if (!gains_.average_first) return gain;
  return static_cast<std::int64_t>(std::min(samples_, static_cast<std::uint64_t>(gain)));
}

void Rtt::sample(Duration took) {
  took = std::clamp<Duration>(took, Duration::zero(), kMostSample);
  misses_ = 0;
  if (++samples_ == 1) {
    mean_ = took;
    deviation_ = took / 2;
    return;
  }
  const Duration off = took > mean_ ? took - mean_ : mean_ - took;
  deviation_ += (off - deviation_) / weight(gains_.deviation);
  mean_ += (took - mean_) / weight(gains_.mean);
}

void Rtt::missed() { misses_ = std::min(misses_ + 1, kMostDoublings); }

Duration Rtt::timeout(RttBounds bounds) const {
  const Duration once = mean_ + std::max<Duration>(kBreath, 4 * deviation_);
  return doubled(std::max(once, bounds.least), misses_, bounds.most);
}

Duration doubled(Duration timeout, std::uint32_t times, Duration most) {
  for (; times > 0 && timeout < most; --times) timeout *= 2;
  return std::min(timeout, most);
}

// --- many together
void Crowd::answered(Duration took, Time now) {
  rtt_.sample(took);
  news_ = now;
}

// Who was asked before the last news is no second miss of the same silence.
void Crowd::missed(Time asked, Time now) {
  if (asked < news_) return;
  rtt_.missed();
  news_ = now;
}

bool Crowd::known() const { return rtt_.samples() >= kLeastSamples; }

// --- all that a node has measured
Rtts::Rtts(Duration most) : most_(most), paths_(kMostTimed) {}

Rtt& Rtts::path(const PeerId& peer) { return paths_.touch(peer).value.rtt; }

void Rtts::answered(const PeerId& peer, Reach reach, Time asked, Time now) {
  const Duration took = now - asked;
  (reach == Reach::warm ? warm_ : cold_).answered(took, now);
  if (reach == Reach::warm) path(peer).sample(took);
}

void Rtts::missed(const PeerId& peer, Reach reach, Time asked, Time now) {
  (reach == Reach::warm ? warm_ : cold_).missed(asked, now);
  path(peer).missed();
}

const Rtt* Rtts::of(const PeerId& peer) const {
  const Path* const path = paths_.find(peer);
  return path == nullptr || path->rtt.samples() == 0 ? nullptr : &path->rtt;
}

RttBounds Rtts::bounds(Reach reach) const {
  const Duration least = reach == Reach::warm ? kLeastTimeout : kColdTrips * kLeastTimeout;
  return {std::min(least, most_), most_};
}

Duration Rtts::cold_by(const Rtt& warm) const {
  return std::min(kColdTrips * warm.timeout(bounds(Reach::warm)), most_);
}

Duration Rtts::timeout(Reach reach) const {
  const Crowd& crowd = reach == Reach::warm ? warm_ : cold_;
  const Crowd& other = reach == Reach::warm ? cold_ : warm_;
  if (crowd.known()) return crowd.rtt().timeout(bounds(reach));
  if (!other.known()) return most_;
  // Who answers a dial in some time answers a question in less.
  return reach == Reach::warm ? cold_.rtt().timeout(bounds(Reach::cold)) : cold_by(warm_.rtt());
}

Duration Rtts::timeout(const PeerId& peer, Reach reach) const {
  const Rtt* const known = of(peer);
  if (known != nullptr && reach == Reach::warm) return known->timeout(bounds(reach));
  if (known != nullptr) return std::max(timeout(reach), cold_by(*known));
  const Path* const silent = paths_.find(peer);
  return doubled(timeout(reach), silent == nullptr ? 0 : silent->rtt.misses(), most_);
}

}  // namespace kadmesh
