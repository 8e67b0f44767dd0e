#include "store/quota.h"

#include "store/row_bounds.h"

namespace kadmesh {
namespace {

Result<void> check_fits(const Ledger& ledger, const StoreLimits& limits, const Row& row,
                        const std::optional<Shelf::Stored>& old) {
  const Taken& all = ledger.all();
  const std::size_t freed = old ? old->bytes : 0, size = size_of(row);
  const bool grows = !old || size > freed;
  return check_room(all.rows + (old ? 0 : 1), all.bytes - freed + size,
                    limits_of(row, grows, limits));
}

// The same of what its charge may have.
Result<void> check_share(const Ledger& ledger, const StoreLimits& limits, const Row& row,
                         const std::optional<Shelf::Stored>& old) {
  if (row.charge == 0 || limits.charge_share <= 1) return {};
  const bool had = old && old->charge == row.charge;
  const std::size_t freed = had ? old->bytes : 0, size = size_of(row);
  if (had && size <= freed) return {};
  const Taken has = ledger.taken_by(row.charge);
  const StoreLimits share{limits.rows / limits.charge_share, limits.bytes / limits.charge_share};
  return check_room(has.rows + (had ? 0 : 1), has.bytes - freed + size, share);
}

std::optional<std::uint64_t> itself(const Ledger& ledger, const Row& row) {
  return ledger.weight_of(row.charge) > 0 ? std::optional(row.charge) : std::nullopt;
}

// The charge that gives a row for this one.
std::optional<std::uint64_t> giver(const Ledger& ledger, const Row& row) {
  const auto heaviest = ledger.heaviest();
  if (!heaviest) return std::nullopt;
  const std::size_t own = ledger.weight_of(row.charge);
  const std::size_t margin = 2 * ledger.weight({1, size_of(row)});
  if (*heaviest != row.charge && ledger.weight_of(*heaviest) >= own + margin) return heaviest;
  return itself(ledger, row);
}

struct Room {
  Result<void> fits;
  bool in_share = true;
};

Result<Room> room_for(Shelf& shelf, const StoreLimits& limits, const Row& row) {
  ASSIGN_OR_RETURN(const auto old, shelf.stored(row));
  if (auto in_share = check_share(shelf.ledger(), limits, row, old); !in_share)
    return Room{in_share, false};
  return Room{check_fits(shelf.ledger(), limits, row, old)};
}

StoreResult displace(Shelf& shelf, const StoreLimits& limits, const Save& save) {
  const Row& row = save.row;
  StoreRows gone;
  for (;;) {
    ASSIGN_OR_RETURN(const Room room, room_for(shelf, limits, row));
    if (room.fits) return gone;
    const auto from = room.in_share ? giver(shelf.ledger(), row) : itself(shelf.ledger(), row);
    if (row.charge == 0 || limits.when_full == WhenFull::refuse || !from)
      return std::unexpected(room.fits.error());
    ASSIGN_OR_RETURN(const std::uint64_t place, farthest(shelf, *from, save.home));
    if (*from == row.charge && (place ^ save.home) <= (row.place ^ save.home))
      return std::unexpected(room.fits.error());
    ASSIGN_OR_RETURN(Row dropped, shelf.drop_at(*from, place));
    gone.push_back(std::move(dropped));
  }
}

}  // namespace

// Block by block of half the size: the half whose bit is not home's, if anything lies there.
Result<std::uint64_t> farthest(Shelf& shelf, std::uint64_t charge, std::uint64_t home) {
  std::uint64_t place = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 63; bit != 0; bit >>= 1) {
    const std::uint64_t away = place | (~home & bit);
    ASSIGN_OR_RETURN(const bool there, shelf.any(charge, away, away | (bit - 1)));
    place = there ? away : place | (home & bit);
  }
  return place;
}

StoreResult make_room(Shelf& shelf, const StoreLimits& limits, WallTime now, const Save& save) {
  ASSIGN_OR_RETURN(const Room room, room_for(shelf, limits, save.row));
  if (room.fits) return StoreRows{};
  RETURN_IF_ERROR(shelf.sweep(now, kMostSwept));
  return shelf.whole([&] { return displace(shelf, limits, save); });
}

}  // namespace kadmesh
