// All rows of one kind in one part of the space, each to the peers that it is for: page by page
// from the store, to each peer one at a time.
//
//   loading --a page--> sending --all of it is settled--> loading
//                                                     `-> over, after the last
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "kad/dispatch.h"
#include "kad/query.h"

namespace kadmesh {

class Round {
 public:
  struct Rules {
    // Whom a row is for; a row that is for nobody is passed over.
    std::function<std::vector<Contact>(Turn, const Row&)> to;
    std::function<KadMessage(Turn, const Row&)> message;
  };
  struct Settled {
    Row row;
    bool taken;  // by somebody
  };

  // Of the places from `first` to `last`, both included.
  Round(Kind kind, std::uint64_t first, std::uint64_t last, Rules rules, Time deadline);

  // AskPeer, UseStore or Rest; none once it is over.
  std::optional<QueryStep> next(Turn turn);
  void on_stored(Turn turn, const StoreResult& page);
  // The answer to PUT_VALUE must repeat the value; ADD_PROVIDER has none.
  Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message);
  void on_failure(Turn turn, const PeerId& peer) { dispatch_.on_failure(turn.now.mono, peer); }
  void on_refused(Turn turn, const PeerId& peer) { dispatch_.on_refused(turn.now.mono, peer); }
  // Time is up: what is settled is told by poll.
  void expire();

  std::optional<Settled> poll();
  // Up to this place every row is settled; none before the first page.
  std::optional<std::uint64_t> up_to() const { return up_to_; }
  // The store failed, or time was up.
  bool cut_short() const { return cut_short_; }

 private:
  enum class Phase { loading, sending, over };

  QueryStep load();
  std::optional<QueryStep> send(Turn turn);

  Near next_page_;
  Rules rules_;
  Time deadline_;
  Phase phase_ = Phase::loading;
  bool asked_store_ = false, more_ = true, cut_short_ = false;
  std::vector<Row> page_;  // as dispatch_ numbers them
  Dispatch dispatch_;
  std::optional<std::uint64_t> up_to_;
};

}  // namespace kadmesh
