#include "gossip/prune_journal.h"

#include "router.h"

namespace kadmesh {
using namespace testing;
using gossip::PruneCause;
using gossip::PruneJournal;

TEST_CASE("prune journal: a peer's last prunes are told, the latest first") {
  PruneJournal journal;
  CHECK(journal.of(id(1)).empty());
  journal.add(id(1), {Time{1s}, "a", PruneCause::they_pruned, 2});
  journal.add(id(2), {Time{2s}, "b", PruneCause::mesh_full, 0});
  for (std::size_t i = 0; i < PruneJournal::kMostNotes - 1; ++i)
    journal.add(id(1), {Time{3s}, "c", PruneCause::we_left, -1});
  const auto notes = journal.of(id(1));
  REQUIRE(notes.size() == PruneJournal::kMostNotes);
  CHECK((notes.front().topic == "c" && notes.front().score == -1));
  CHECK((notes.back().topic == "a" && notes.back().cause == PruneCause::they_pruned));
  journal.add(id(1), {Time{4s}, "d", PruneCause::we_left, 0});
  CHECK(journal.of(id(1)).size() == PruneJournal::kMostNotes);
  CHECK(journal.of(id(1)).back().topic == "c");
  CHECK(journal.of(id(2)).size() == 1);
}

TEST_CASE("prune journal: of too many peers, the one not heard of for longest is forgotten") {
  PruneJournal journal;
  const auto peer = [](std::size_t n) { return PeerId::of_key(text_bytes(std::to_string(n))); };
  for (std::size_t n = 0; n < PruneJournal::kMostPeers; ++n)
    journal.add(peer(n), {Time{1s}, "a", PruneCause::they_pruned, 0});
  journal.add(peer(0), {Time{2s}, "a", PruneCause::they_pruned, 0});
  journal.add(peer(5'000), {Time{2s}, "a", PruneCause::they_pruned, 0});
  CHECK(journal.peers() == PruneJournal::kMostPeers);
  CHECK(journal.of(peer(0)).size() == 2);
  CHECK(journal.of(peer(1)).empty());
  CHECK(journal.of(peer(2)).size() == 1);
}

}  // namespace kadmesh
