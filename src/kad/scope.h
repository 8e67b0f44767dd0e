// Which peers a DHT is for. The public one is of no use to who cannot be dialed from everywhere,
// and a site's own is not for the world; go runs one of each (dual), with these filters.
//
//   any         everybody
//   wan         who has a public IP address that is no relay's circuit
//   lan         who has any address; in the routing table, who is not seen in a public network and
//               has an address that is not public
//   automatic   wan under /ipfs/kad/1.0.0 where a seed is public, lan under /ipfs/lan/kad/1.0.0,
//   else
//               any: a laboratory may use the public protocol's name
//
// A filter is for whom we learn of and take into the table. It never hides the very peer that is
// looked for.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"
#include "kad/subnet.h"

namespace kadmesh {

enum class Scope { automatic, any, wan, lan };

// What `automatic` means here; the others stay.
Scope settled(Scope scope, std::string_view protocol, std::span<const Multiaddr> seeds);

// Whether a walk may ask a peer at these addresses.
bool may_ask(Scope scope, std::span<const Dialable> addrs);
// Whether it may enter the routing table; `seen_in` is what its connection showed.
bool may_enter(Scope scope, std::span<const Dialable> addrs, const std::optional<Subnet>& seen_in);
// Why it may not.
std::string_view outside(Scope scope);

}  // namespace kadmesh
