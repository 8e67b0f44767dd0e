#include "kad/scope.h"

#include <algorithm>

namespace kadmesh {
namespace {

bool is_public(const Multiaddr& addr) { return public_subnet(addr).has_value(); }
bool is_public_at(const Dialable& addr) { return is_public(addr.addr()); }

// Names are for a laboratory's machines as well; /dnsaddr is for lists of public peers.
bool is_public_seed(const Multiaddr& seed) {
  return is_public(seed) || seed.has(AddrCode::dnsaddr);
}

}  // namespace

Scope settled(Scope scope, std::string_view protocol, std::span<const Multiaddr> seeds) {
  if (scope != Scope::automatic) return scope;
  if (protocol == "/ipfs/lan/kad/1.0.0") return Scope::lan;
  const bool wide = protocol == "/ipfs/kad/1.0.0" && std::ranges::any_of(seeds, is_public_seed);
  return wide ? Scope::wan : Scope::any;
}

bool may_ask(Scope scope, std::span<const Dialable> addrs) {
  if (scope == Scope::wan) return std::ranges::any_of(addrs, is_public_at);
  if (scope == Scope::lan) return !addrs.empty();
  return true;
}

bool may_enter(Scope scope, std::span<const Dialable> addrs, const std::optional<Subnet>& seen_in) {
  if (scope == Scope::lan) return !seen_in && !std::ranges::all_of(addrs, is_public_at);
  return may_ask(scope, addrs);
}

std::string_view outside(Scope scope) {
  return scope == Scope::wan
             ? "none of its addresses is public, and this table is for the public network"
             : "it is not of this site, for which this table is";
}

}  // namespace kadmesh
