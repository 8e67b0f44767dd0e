#include "node/store_watch.h"

#include <string>
#include <utility>

namespace kadmesh {
namespace {

constexpr Duration kTellAgain = 1min;

}  // namespace

std::optional<Error> StoreWatch::on_stored(Time now, bool saving, const StoreResult& result) {
  if (result) {
    stats_.displaced += saving ? result->size() : 0;
    return std::nullopt;
  }
  // Its writer was overtaken by another.
  if (result.error().code == Errc::refused) return std::nullopt;
  const bool full = result.error().code == Errc::limit;
  ++(full ? stats_.refused : stats_.failed);
  return tell(now, full ? full_ : failing_, result.error());
}

std::optional<Error> StoreWatch::tell(Time now, Trouble& trouble, const Error& what) {
  if (now < trouble.next) {
    ++trouble.untold;
    return std::nullopt;
  }
  trouble.next = after(now, kTellAgain);
  const std::uint64_t before = std::exchange(trouble.untold, 0);
  if (before == 0) return what;
  return Error{what.code, what.detail + "; and " + std::to_string(before) + " times before this"};
}

}  // namespace kadmesh
