#include "node/serving.h"

#include <algorithm>

namespace kadmesh {

void Serving::on_established(Time now, const Established& e) {
  const auto network = public_subnet(e.remote);
  if (!network) return;
  if (!e.opened_by_us) {
    if (!own_.empty() && is_foreign(*network, now)) prove(now);
    return;
  }
  std::erase_if(dialed_, [&](const Dialed& d) {
    return d.network == *network || now >= after(d.when, kOurDial);
  });
  if (dialed_.size() >= kMostDialed) {
    unsure_until_ = after(dialed_.front().when, kOurDial);
    dialed_.pop_front();
  }
  dialed_.push_back({*network, now});
}

bool Serving::is_foreign(const Subnet& network, Time now) const {
  const auto lately = [&](const Dialed& d) {
    return d.network == network && now < after(d.when, kOurDial);
  };
  return now >= unsure_until_ && std::ranges::find(own_, network) == own_.end() &&
         std::ranges::none_of(dialed_, lately);
}

void Serving::on_addrs(std::span<const Multiaddr> listening) {
  if (std::ranges::equal(listening, addrs_)) return;
  addrs_.assign(listening.begin(), listening.end());
  own_.clear();
  for (const Multiaddr& addr : addrs_)
    if (const auto network = public_subnet(addr)) own_.push_back(*network);
  proven_until_ = {};
}

void Serving::on_told(Time now, bool reachable) {
  if (reachable)
    prove(now);
  else
    proven_until_ = {};
}

void Serving::prove(Time now) {
  if (mode_ == KadMode::automatic) proven_until_ = after(now, kProofHolds);
}

void Serving::on_timer(Time now) {
  if (now >= proven_until_) proven_until_ = {};
}

}  // namespace kadmesh
