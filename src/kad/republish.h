// What is ours and must stay in the network: values that we put, keys that we provide. Each is a
// row that says when it was last delivered (kad/rows.h); this looks through them and names what is
// due: what was never delivered, at once, and all else when its turn comes (kad/rota.h).
//
//   idle --a slice's moment, or somebody came--> scanning <--> handing out <--> sweeping
//     ^                                             |
//     +------------------all seen-------------------+
//
// Due keys that we provide are delivered together, by a sweep (kad/sweep_query.h), where at least
// kLeastSwept of a page lie in so small a part of the space that they have much the same k closest
// peers; all else one by one, at most kMostRepublishing at once. Of sweeps there is one at a time,
// and what is behind it waits; where one came to nothing its keys follow one by one. The rows
// survive a restart, and so does what is pending in them.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "base/turn.h"
#include "kad/params.h"
#include "kad/query.h"
#include "kad/rota.h"
#include "kad/routing_table.h"
#include "store/store.h"

namespace kadmesh {

class Republish {
 public:
  // Of a row: Kind::publishing or Kind::providing, and its key.
  using Item = std::pair<Kind, Bytes>;
  struct Due {
    Item item;
    Bytes value;  // of a publishing row
    std::uint64_t place;
  };
  // Around a key that we provide.
  struct Sweep {
    Bytes key;
  };
  using Next = std::variant<Near, Due, Sweep>;

  Republish(const PeerId& self, Duration interval) : rota_(self, interval) {}

  // The number of live peers left 0, or came back to it.
  void on_reachable(Turn turn);
  void on_unreachable();
  // It may be possible now to deliver what was not: our addresses have changed.
  void on_news(Turn turn);
  // Of every put and provide, also the user's: an item that is being delivered is not due.
  void on_started(const Item& item);
  void on_ended(Turn turn, const Item& item, bool pending);
  void on_scanned(Turn turn, const StoreResult& rows);
  // By a sweep. False: a provide of the same has begun meanwhile, and what it writes counts.
  bool on_announced(const Bytes& key);
  void on_swept(Turn turn, const Swept& swept);

  bool due(Turn turn, const Row& row) const;
  // A page to load, answered by on_scanned; an item to deliver now, answered by on_started; a sweep
  // to make, answered by on_swept. Without `table` there are no sweeps.
  std::optional<Next> poll(Turn turn, const RoutingTable* table);
  Time next_timer() const;

  std::size_t pending(Kind kind) const;
  // What is due and waits, of the page at hand; what is being delivered, the user's too, without
  // sweeps.
  std::size_t waiting() const { return pass_ ? pass_->due.size() : 0; }
  std::size_t running() const { return busy_.size(); }

 private:
  // Through the places from `first` to `last`: what is published, then what is provided.
  struct Pass {
    Pass(std::uint64_t first, std::uint64_t last)
        : page{Kind::publishing, first, last, {}, {}, kRepublishPage}, begin(first) {}

    Near page;
    std::uint64_t begin;
    bool scanning = false, sweeping = false, more = true;
    std::deque<Due> due;
    std::size_t singly = 0;  // of `due`, the first: a sweep of them came to nothing
  };

  void again_by(Time when);
  bool looks_at_all(Turn turn) const;
  void begin_pass(Turn turn);
  void end_pass(Turn turn);
  void go_on_behind(std::uint64_t place);
  bool next_page();
  bool swept_at_once(const RoutingTable& table) const;
  std::optional<Next> hand_out(const RoutingTable* table);

  Rota rota_;
  bool reachable_ = false;
  bool any_ = true;  // something may be ours
  std::optional<Pass> pass_;
  Time all_ = kNever, rota_check_ = kNever;  // when to look through everything, when at the rota
  std::int64_t looked_after_ = 0;            // moment of the rota
  bool sweeping_ = false;                    // also when it was begun by a pass that is no more
  std::size_t unwanted_ = 0;                 // pages on their way, of passes that are no more
  std::map<Item, std::size_t> busy_;
  std::set<Bytes> overtaken_;   // provides that ended during a sweep; at most kMostPending
  std::set<Item> undelivered_;  // at most kMostPending: the rows are what counts
};

}  // namespace kadmesh
