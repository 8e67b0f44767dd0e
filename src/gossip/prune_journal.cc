#include "gossip/prune_journal.h"

#include <utility>

namespace kadmesh::gossip {

void PruneJournal::add(const PeerId& peer, PruneNote note) {
  std::deque<PruneNote>& notes = notes_.touch(peer).value;
  notes.push_front(std::move(note));
  if (notes.size() > kMostNotes) notes.pop_back();
}

std::vector<PruneNote> PruneJournal::of(const PeerId& peer) const {
  const auto* notes = notes_.find(peer);
  if (!notes) return {};
  return {notes->begin(), notes->end()};
}

}  // namespace kadmesh::gossip
