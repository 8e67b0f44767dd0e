#include "kad/find_query.h"

namespace kadmesh {

FindQuery::FindQuery(const KadView& view, const PeerId& peer, Time started, Time deadline)
    : view_(view),
      peer_(peer),
      search_(view, KadId::of(peer), {KadType::find_node, to_bytes(peer.bytes()), {}, {}, {}},
              started, deadline) {}

bool FindQuery::here() const { return peer_ == view_.self || view_.peers.has(peer_); }

QueryStep FindQuery::advance(Turn turn) {
  const bool enough = peer_ == view_.self || (here() && !known().addrs.empty());
  if (enough && !search_.over()) search_.stop();
  if (auto step = search_.next(turn, here())) return *std::move(step);
  return finish(turn);
}

Result<void> FindQuery::on_reply(Turn, const PeerId& peer, const KadMessage& message) {
  search_.on_answer(peer, message);
  return {};
}

void FindQuery::on_candidate(const Contact& contact) { search_.on_candidate(contact); }

void FindQuery::on_deadline(Turn) {
  search_.expire();
  expired_ = true;
}

// What we know ourselves before what others said.
Contact FindQuery::known() const {
  Contact contact{peer_, {}};
  if (peer_ == view_.self)
    for (const Multiaddr& addr : view_.own_addrs)
      contact.addrs.emplace_back(addr, Source::configured);
  else
    contact.addrs = view_.addrs_of(peer_);
  const Contact* const heard = search_.lookup().heard_of(peer_);
  if (contact.addrs.empty() && heard != nullptr) contact.addrs = heard->addrs;
  return contact;
}

QueryStep FindQuery::finish(Turn turn) {
  const Walk walk = search_.walk(turn.now.mono);
  Contact contact = known();
  if (!here() && contact.addrs.empty())
    return Finished{std::unexpected(nothing_found(view_, walk, expired_)), {}};
  return Finished{FindReport{std::move(contact), here(), walk}, {}};
}

}  // namespace kadmesh
