#include "kad/query.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {

std::vector<Dialable> KadView::addrs_of(const PeerId& peer) const {
  if (peers.has(peer)) return peers.addrs(peer);
  const auto entry = table.find(peer);
  return entry ? entry->contact.addrs : std::vector<Dialable>{};
}

Reach KadView::reach_of(const PeerId& peer) const {
  return peers.has(peer) ? Reach::warm : Reach::cold;
}

Duration KadView::timeout_of(const PeerId& peer) const {
  if (!config.adaptive) return config.request_timeout;
  return rtts.timeout(peer, reach_of(peer));
}

Duration KadView::stall_of(const PeerId& peer) const {
  if (!config.adaptive) return kStall;
  return std::clamp<Duration>(timeout_of(peer) / 2, kLeastStall, kStall);
}

QueryStep Query::next(Turn turn) {
  if (queued_.empty()) return advance(turn);
  QueryStep step = std::move(queued_.front());
  queued_.pop_front();
  return step;
}

Error nothing_found(const KadView& view, const Walk& walk, bool deadline_came) {
  const std::string figures = "asked " + std::to_string(walk.asked) + ", answered " +
                              std::to_string(walk.answered) + ", failed " +
                              std::to_string(walk.failed) +
                              "; table: " + std::to_string(view.table.servers()) + " servers, " +
                              std::to_string(view.table.provisional()) + " provisional";
  if (deadline_came) return {Errc::timeout, "the deadline came; " + figures};
  if (walk.answered == 0) return {Errc::no_peers, "nobody answered; " + figures};
  return {Errc::not_found, "nobody has it; " + figures};
}

}  // namespace kadmesh
