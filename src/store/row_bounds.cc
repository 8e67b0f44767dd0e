#include "store/row_bounds.h"

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

Result<void> check_room(std::size_t rows, std::size_t bytes, const StoreLimits& limits) {
  if (rows > limits.rows)
    return fail(Errc::limit, "store: full, " + std::to_string(limits.rows) + " rows");
  if (bytes > limits.bytes)
    return fail(Errc::limit, "store: full, " + std::to_string(limits.bytes) + " bytes");
  return {};
}

}  // namespace kadmesh
