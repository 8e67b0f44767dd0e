#include "sim/nat.h"

#include <algorithm>

namespace kadmesh {
namespace {

Endpoint as_much(Endpoint of, NatConfig::On on) {
  if (on == NatConfig::On::nothing) return {};
  if (on == NatConfig::On::address) of.port = 0;
  return of;
}

}  // namespace

bool Nat::taken(Time now, std::uint16_t port) const {
  const auto at = mappings_.find(port);
  return at != mappings_.end() && at->second.until > now;
}

// The one wished for, or the first free one from where luck points.
std::optional<std::uint16_t> Nat::free_port(Time now, std::uint16_t wished) {
  if (config_.keeps_port && wished != 0 && !taken(now, wished)) return wished;
  const std::uint32_t ports = std::clamp(config_.ports, 1u, 65536u - kFirstPort);
  const auto start = static_cast<std::uint32_t>(luck_.below(ports));
  for (std::uint32_t i = 0; i < ports; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + (start + i) % ports);
    if (!taken(now, port)) return port;
  }
  return std::nullopt;
}

Nat::Mapping* Nat::mapping(Time now, const Endpoint& inner, const Endpoint& remote,
                           std::uint16_t& port) {
  const Key key{inner, as_much(remote, config_.mapping)};
  if (const auto at = ports_.find(key); at != ports_.end() && taken(now, at->second)) {
    port = at->second;
    return &mappings_.at(port);
  }
  const auto chosen = free_port(now, inner.port);
  if (!chosen) return nullptr;
  port = *chosen;
  // Whose it was before has none any more.
  if (const auto old = mappings_.find(port); old != mappings_.end())
    if (const auto whose = ports_.find({old->second.inner, old->second.remote});
        whose != ports_.end() && whose->second == port)
      ports_.erase(whose);
  ports_[key] = port;
  return &(mappings_[port] = {key.first, key.second, now, {}});
}

std::optional<Endpoint> Nat::leave(Time now, const Endpoint& inner, const Endpoint& remote) {
  Endpoint source = outer_;
  Mapping* const used = mapping(now, inner, remote, source.port);
  if (!used) return std::nullopt;
  if (config_.filtering != NatConfig::On::nothing) {
    const Endpoint whom = as_much(remote, config_.filtering);
    if (used->called.size() >= kMostRemotes && !used->called.contains(whom)) return std::nullopt;
    used->called.insert(whom);
  }
  used->until = std::max(used->until, after(now, config_.life));
  return source;
}

std::optional<Endpoint> Nat::enter(Time now, std::uint16_t port, const Endpoint& remote) const {
  const auto at = mappings_.find(port);
  if (at == mappings_.end() || at->second.until <= now) return std::nullopt;
  const bool anyone = config_.filtering == NatConfig::On::nothing || at->second.until == kNever;
  if (!anyone && !at->second.called.contains(as_much(remote, config_.filtering)))
    return std::nullopt;
  return at->second.inner;
}

bool Nat::forward(std::uint16_t port, const Endpoint& inner) {
  if (mappings_.contains(port)) return false;
  ports_[{inner, Endpoint{}}] = port;
  mappings_[port] = {inner, Endpoint{}, kNever, {}};
  return true;
}

std::size_t Nat::mappings(Time now) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(mappings_, [&](const auto& each) { return each.second.until > now; }));
}

}  // namespace kadmesh
