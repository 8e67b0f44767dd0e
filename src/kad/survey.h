// The walks that make a region (kad/region.h): to a key, and then into each gap that is left. Only
// what a walk that came to its end has found is believed: one that was cut short, or lost somebody
// on the way and so ended with too few, would make all of the space one region of a few peers.
#pragma once

#include <optional>

#include "kad/region.h"
#include "kad/search.h"

namespace kadmesh {

class Survey {
 public:
  // At the deadline the region is as it is known by then.
  Survey(const KadView& view, Bytes key, Turn turn, Time deadline);

  // As of Search; none once the region is known, or cannot be.
  std::optional<QueryStep> next(Turn turn);
  void on_answer(const PeerId& peer, const KadMessage& message) {
    search_->on_answer(peer, message);
  }
  void on_failure(const PeerId& peer) { search_->on_failure(peer); }
  void on_candidate(const Contact& contact) { search_->on_candidate(contact); }
  void expire() {
    over_ = true;
    search_->expire();
  }

  bool over() const { return over_; }
  bool found() const { return found_; }
  const Region& region() const { return region_; }

 private:
  void walk_to(Turn turn, Bytes key);
  bool believable(Turn turn, std::size_t answered) const;
  bool look_on(Turn turn);

  const KadView& view_;
  Time deadline_;
  Bytes target_;
  std::optional<Search> search_;
  Region region_;
  bool over_ = false, found_ = false;
};

// Of an operation with that deadline: a quarter of its time.
inline Time survey_deadline(Time started, Time deadline) {
  return started + (deadline - started) / 4;
}

}  // namespace kadmesh
