#include "transport/yamux_keepalive.h"

#include <algorithm>

namespace kadmesh {

YamuxKeepalive::YamuxKeepalive(Duration interval, Duration timeout, Time start)
    : interval_(interval),
      timeout_(timeout),
      next_ping_(interval > Duration::zero() ? start : kNever),
      heard_(start) {}

bool YamuxKeepalive::on_pong(Time now, std::uint32_t id) {
  if (!asked_ || id != id_) return false;
  asked_ = false;
  next_ping_ = quiet_at();
  const Duration took = now - asked_at_;
  rtt_ = rtt_ == Duration::zero() ? took : rtt_ / 2 + took / 2;
  return true;
}

std::optional<std::uint32_t> YamuxKeepalive::due(Time now) {
  if (asked_ || now < next_ping_) return std::nullopt;
  const bool measured = id_ > 0 && now < after(asked_at_, kRttAge);
  if (measured && now < quiet_at()) {
    next_ping_ = quiet_at();
    return std::nullopt;
  }
  asked_ = true;
  asked_at_ = now;
  return ++id_;
}

bool YamuxKeepalive::dead(Time now) const { return asked_ && now >= deadline(); }

Time YamuxKeepalive::next_timer() const { return asked_ ? deadline() : next_ping_; }

Time YamuxKeepalive::quiet_at() const {
  const Duration at = after(heard_, interval_).time_since_epoch();
  return Time(saturated_sum(at, kTick - Duration(1)) / kTick * kTick);
}

Time YamuxKeepalive::deadline() const { return after(std::max(asked_at_, heard_), timeout_); }

}  // namespace kadmesh
