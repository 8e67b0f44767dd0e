#include "transport/yamux_stream.h"

#include <limits>

namespace kadmesh {

bool YamuxStream::add_credit(std::uint32_t more) {
  const std::uint64_t unsent = credit + std::uint64_t{queued.size()};
  if (unsent + more > std::numeric_limits<std::uint32_t>::max()) return false;
  credit += more;
  return true;
}

std::optional<YamuxHeader> YamuxStream::next_control() const {
  if (owes_flags != 0 || owes_credit != 0)
    return YamuxHeader{YamuxType::window_update, owes_flags, id, owes_credit};
  if (sending == Half::ending && queued.empty())
    return YamuxHeader{YamuxType::window_update, yamux_flag::kFin, id, 0};
  return std::nullopt;
}

void YamuxStream::sent(const YamuxHeader& header) {
  if (header.has(yamux_flag::kFin)) {
    sending = Half::ended;
  } else {
    owes_flags = 0;
    owes_credit = 0;
  }
}

}  // namespace kadmesh
