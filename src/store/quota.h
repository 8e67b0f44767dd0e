// Whose row goes when what peers want kept is full (StoreLimits::when_full).
//
//   refuse         nobody's: the comer is refused
//   fair_farthest  one of the heaviest charge, if that weighs more than the comer's charge by two
//                  such rows as the comer's; else one of the comer's own charge, if that row lies
//                  farther from home than the comer's. Always the one farthest from home. Again
//                  until the comer has room, or it is refused
//
// A charge that has its part of the store (StoreLimits::charge_share) gives for its own comers
// alike.
//
// So a network, however many ids it has and however near its keys are to us, takes no more than an
// even share from those that have less, and beyond it displaces only what is its own. A large
// honest publisher behind one address is such a network as well: it loses what lies farthest from
// us, which others keep. What is ours is displaced by nobody, and displaces nobody. Where there is
// no room, what has expired goes first, kMostSwept rows for one that comes.
#pragma once

#include <functional>
#include <optional>

#include "store/ledger.h"
#include "store/store.h"

namespace kadmesh {

// A store that was full of what has expired is so for a few rows more, not for all that come until
// Expire; and none of these waits for thousands to go.
inline constexpr std::size_t kMostSwept = 64;

// How a store shows its rows to the rule, and lets go of one.
class Shelf {
 public:
  virtual ~Shelf() = default;
  virtual const Ledger& ledger() const = 0;
  // The row of the same kind, key and member: what it takes, and its charge.
  struct Stored {
    std::uint64_t charge = 0;
    std::size_t bytes = 0;
  };
  virtual Result<std::optional<Stored>> stored(const Row& like) = 0;
  // Whether a row of the charge lies at one of these places, both included.
  virtual Result<bool> any(std::uint64_t charge, std::uint64_t from, std::uint64_t to) = 0;
  // Drops the first row of the charge at the place, by kind, key and member, and shows it without
  // its value. There is one.
  virtual Result<Row> drop_at(std::uint64_t charge, std::uint64_t place) = 0;
  // Drops as many rows that have expired, or all.
  virtual Result<void> sweep(WallTime now, std::size_t most) = 0;
  // Runs `change`, and when it fails puts back what it dropped.
  using Change = std::function<StoreResult()>;
  virtual StoreResult whole(const Change& change) = 0;
};

// Rows that went so that the save has room, which it then has; Errc::limit when it finds none, and
// then nothing went but what has expired.
StoreResult make_room(Shelf& shelf, const StoreLimits& limits, WallTime now, const Save& save);

// Of the charge's rows: where the farthest from `home` lies. It has one.
Result<std::uint64_t> farthest(Shelf& shelf, std::uint64_t charge, std::uint64_t home);

}  // namespace kadmesh
