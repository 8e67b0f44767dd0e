#include "kad/trail.h"

#include "kad/params.h"

namespace kadmesh {

std::string_view name(WalkStep::What what) {
  using What = WalkStep::What;
  switch (what) {
    case What::heard:
      return "heard";
    case What::asked:
      return "asked";
    case What::stalled:
      return "stalled";
    case What::answered:
      return "answered";
    case What::failed:
      return "failed";
    case What::withdrawn:
      return "withdrawn";
    case What::converged:
      return "converged";
  }
  return "unknown";
}

WalkStep Trail::step(WalkStep::What what, Time now, const PeerId& peer) const {
  return {
      .what = what, .when = now, .peer = peer, .shared = common_prefix(KadId::of(peer), target_)};
}

void Trail::asked(Time now, const PeerId& peer, KadType question, Time stalls) {
  known_.insert(peer);
  if (stalls != kNever) stalls_[peer] = stalls;
  WalkStep asked = step(WalkStep::What::asked, now, peer);
  asked.question = name(question);
  steps_.push_back(std::move(asked));
}

void Trail::heard(Time now, const PeerId& peer, const PeerId& from) {
  if (known_.size() >= kMostCandidates || !known_.insert(peer).second) return;
  WalkStep heard = step(WalkStep::What::heard, now, peer);
  heard.from = from;
  steps_.push_back(std::move(heard));
}

void Trail::answered(Time now, const PeerId& peer, std::span<const KadPeer> closer) {
  stalls_.erase(peer);
  steps_.push_back(step(WalkStep::What::answered, now, peer));
  for (const KadPeer& named : closer) heard(now, named.id, peer);
}

void Trail::failed(Time now, const PeerId& peer, const Error& cause) {
  stalls_.erase(peer);
  WalkStep failed = step(WalkStep::What::failed, now, peer);
  failed.cause = cause;
  steps_.push_back(std::move(failed));
}

void Trail::withdrawn(Time now, const PeerId& peer) {
  stalls_.erase(peer);
  steps_.push_back(step(WalkStep::What::withdrawn, now, peer));
}

void Trail::converged(Time now) {
  steps_.push_back({.what = WalkStep::What::converged, .when = now});
}

void Trail::on_time(Time now) {
  std::erase_if(stalls_, [&](const auto& silent) {
    if (now < silent.second) return false;
    steps_.push_back(step(WalkStep::What::stalled, now, silent.first));
    return true;
  });
}

std::optional<WalkStep> Trail::poll() {
  if (steps_.empty()) return std::nullopt;
  WalkStep next = std::move(steps_.front());
  steps_.pop_front();
  return next;
}

}  // namespace kadmesh
