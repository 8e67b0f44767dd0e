#include "transport/receive_window.h"

#include <algorithm>

#include "base/check.h"

namespace kadmesh {

void ReceiveWindow::arrived(std::uint32_t count) {
  KAD_CHECK(count <= left_);
  left_ -= count;
  arrived_ += count;
}

std::uint32_t ReceiveWindow::replenish(Time now, std::size_t waiting, Duration rtt,
                                       std::uint32_t most_size, std::size_t& memory) {
  KAD_CHECK(waiting <= size_ - left_);
  const auto held = left_ + static_cast<std::uint32_t>(waiting);
  if (size_ - held < size_ / 2) return 0;
  if (limits_the_peer(now, rtt)) grow(most_size, memory);
  const std::uint32_t credit = size_ - held;
  left_ += credit;
  arrived_ = 0;
  granted_at_ = now;
  return credit;
}

bool ReceiveWindow::limits_the_peer(Time now, Duration rtt) const {
  return arrived_ >= size_ / 2 && now - granted_at_ < kTuneRtts * std::max(rtt, kLeastRtt);
}

void ReceiveWindow::grow(std::uint32_t most_size, std::size_t& memory) {
  if (size_ >= most_size) return;
  const std::size_t wanted = std::min(size_, most_size - size_);
  const std::size_t more = std::min(wanted, memory);
  size_ += static_cast<std::uint32_t>(more);
  memory -= more;
}

}  // namespace kadmesh
