#include "store/row_bounds.h"

#include <algorithm>

namespace kadmesh {
namespace {

Result<void> check_part(std::string_view part, std::size_t size, std::size_t most) {
  if (size <= most) return {};
  return fail(Errc::limit, "store: a " + std::string(part) + " of " + std::to_string(size) +
                               " bytes, most is " + std::to_string(most));
}

}  // namespace

std::size_t size_of(const Row& row) {
  return row.key.size() + row.member.size() + row.value.size();
}

Result<void> check_bounds(const Row& row) {
  RETURN_IF_ERROR(check_part("key", row.key.size(), kMostRowKey));
  RETURN_IF_ERROR(check_part("member", row.member.size(), kMostRowMember));
  return check_part("value", row.value.size(), kMostRowValue);
}

StoreLimits limits_of(const Row& row, bool grows, const StoreLimits& limits) {
  if (row.charge == 0 || !grows) return limits;
  StoreLimits left = limits;
  left.rows -= limits.rows / kOwnShare;
  left.bytes -= limits.bytes / kOwnShare;
  return left;
}

// When it came and when it goes may have changed: whoever sends the same on and on would keep
// others from ever writing.
Result<void> check_seen(WallTime now, const std::optional<StoreRows>& seen,
                        const std::optional<Row>& there) {
  const auto same = [&](const Row& row) {
    return row.value == there->value && row.charge == there->charge;
  };
  if (!seen || !there || there->expires <= now || std::ranges::any_of(*seen, same)) return {};
  return fail(Errc::refused, "store: another row is there by now");
}

Result<void> check_room(std::size_t rows, std::size_t bytes, const StoreLimits& limits) {
  if (rows > limits.rows)
    return fail(Errc::limit, "store: full, " + std::to_string(limits.rows) + " rows");
  if (bytes > limits.bytes)
    return fail(Errc::limit, "store: full, " + std::to_string(limits.bytes) + " bytes");
  return {};
}

}  // namespace kadmesh
