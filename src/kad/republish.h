// What is ours and must stay in the network: values that we put, keys that we provide. Each is a
// row that says when it was last delivered (kad/rows.h); this looks through them and names what is
// due.
//
//   idle --time, or somebody to deliver to came--> scanning <--> handing out --all seen--> idle
//
// Due is what was never delivered, at once, and all else 22 h after it was, up to a tenth earlier:
// by a hash of node and key, so that a thousand keys put together are not republished together; and
// what was delivered in a future that a clock set back has left. The rows survive a restart, and so
// does what is pending in them.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "base/turn.h"
#include "kad/key.h"
#include "store/store.h"

namespace kadmesh {

class Republish {
 public:
  // Of a row: Kind::publishing or Kind::providing, and its key.
  using Item = std::pair<Kind, Bytes>;
  struct Due {
    Item item;
    Bytes value;  // of a publishing row
  };

  Republish(const PeerId& self, Duration interval) : self_(self), interval_(interval) {}

  // The number of live peers left 0, or came back to it.
  void on_reachable(Turn turn);
  void on_unreachable();
  // It may be possible now to deliver what was not: our addresses have changed.
  void on_news(Turn turn);
  // Of every put and provide, also the user's: an item that is being delivered is not due.
  void on_started(const Item& item);
  void on_ended(Turn turn, const Item& item, bool pending);
  void on_scanned(Turn turn, const StoreResult& rows);

  // A page to load, answered by on_scanned, or an item to deliver now, answered by on_started.
  std::optional<std::variant<Scan, Due>> poll(Turn turn);
  Time next_timer() const;

  std::size_t pending(Kind kind) const;

 private:
  struct Pass {
    Kind kind = Kind::publishing;
    Bytes after_key;
    bool scanning = false, more = true;
    std::deque<Due> due;
  };

  bool due(Turn turn, const Row& row) const;
  Duration earlier(const Bytes& key) const;
  void next_pass_by(Time when);
  void begin_pass_if_due(Time now);

  PeerId self_;
  Duration interval_;
  bool reachable_ = false;
  Time next_pass_{};
  std::optional<Pass> pass_;
  std::map<Item, std::size_t> busy_;
  std::set<Item> undelivered_;  // at most kMostPending: the rows are what counts
};

}  // namespace kadmesh
