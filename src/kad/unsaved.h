// What the disk did not take of what is ours to publish: that a value or a provided key was
// delivered, and that it is ours no longer. Written again until the disk takes it, for a disk is
// full or absent only for a while; until then what the store says of that item does not hold.
//
//   asked --written, or refused for its size--> (gone)
//     ^  \--the disk failed--> waiting --kPendingRetry--> asked
//     |________________________________________________|
//
// Of an item only the latest word counts; that one value of it is ours no longer says nothing of
// another. Of more than kMostUnsaved items the last are not kept: those are published once more, as
// the store has them. That something is ours and was delivered to nobody is not
// kept here: a put that could neither be stored nor delivered has failed, and says so.
#pragma once

#include <map>
#include <optional>

#include "base/turn.h"
#include "kad/action.h"
#include "kad/republish.h"

namespace kadmesh {

class Unsaved {
 public:
  using Item = Republish::Item;

  // Of every request to the store, as it goes out and as it is answered.
  void on_asked(KadStoreId id, const StoreRequest& request);
  void on_stored(Turn turn, KadStoreId id, const StoreResult& result);

  // What is to be asked again now.
  std::optional<StoreRequest> poll(Time now);
  Time next_timer() const { return waiting_.empty() ? kNever : retry_; }

  // Whether what the store says of it may not hold.
  bool has(const Item& item) const;
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void forget(const StoreRequest& overtaken_by);

  std::map<KadStoreId, StoreRequest> asked_;
  std::map<Item, StoreRequest> waiting_;  // at most kMostUnsaved
  Time retry_{};
};

}  // namespace kadmesh
