// One network address translator: who inside is who outside, and who may come in (RFC 4787's terms;
// RFC 5382 for TCP).
//
//   inner endpoint --mapping--> outer port         the same for every remote, or one for each
//   outer port <--filtering-- remote               from anyone, or from whom we have called
//
// A mapping is made by a SYN that leaves, and lives `life` after the last one that used it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/multiaddr.h"
#include "base/time.h"
#include "sim/luck.h"

namespace kadmesh {

struct NatConfig {
  // What of the remote's endpoint a mapping, or a filter, depends on.
  enum class On { nothing, address, address_and_port };
  On mapping = On::nothing;
  On filtering = On::nothing;
  std::uint32_t ports = 65536 - 1024;         // from 1024 on
  bool keeps_port = false;                    // the outer port is the inner one, while that is free
  bool hairpins = false;                      // from inside to an outer port of its own
  Duration life = std::chrono::minutes(124);  // RFC 5382, REQ-5

  static NatConfig full_cone() { return {}; }
  static NatConfig restricted_cone() { return {.filtering = On::address}; }
  static NatConfig port_restricted_cone() { return {.filtering = On::address_and_port}; }
  static NatConfig symmetric() {
    return {.mapping = On::address_and_port, .filtering = On::address_and_port};
  }
  static NatConfig port_preserving() {
    return {.filtering = On::address_and_port, .keeps_port = true};
  }
};

class Nat {
 public:
  // Of all the remotes that a mapping let in; one more is not called.
  static constexpr std::size_t kMostRemotes = 4096;

  Nat(const NatConfig& config, const Endpoint& outer, std::uint64_t seed)
      : config_(config), outer_(outer), luck_(seed) {}

  const NatConfig& config() const { return config_; }
  const Endpoint& outer() const { return outer_; }
  // A SYN leaves: what its source becomes. None: no port is left.
  std::optional<Endpoint> leave(Time now, const Endpoint& inner, const Endpoint& remote);
  // A SYN comes to an outer port: for whom it is. None: it is dropped.
  std::optional<Endpoint> enter(Time now, std::uint16_t port, const Endpoint& remote) const;
  // For ever, for everybody, as a user or UPnP sets it. False: the port is taken.
  bool forward(std::uint16_t port, const Endpoint& inner);
  std::size_t mappings(Time now) const;

 private:
  static constexpr std::uint16_t kFirstPort = 1024;

  struct Mapping {
    Endpoint inner, remote;  // remote: as much of it as the mapping depends on
    Time until;
    std::set<Endpoint> called;  // as much of each as the filter depends on
  };
  using Key = std::pair<Endpoint, Endpoint>;  // inner, remote

  bool taken(Time now, std::uint16_t port) const;
  std::optional<std::uint16_t> free_port(Time now, std::uint16_t wished);
  Mapping* mapping(Time now, const Endpoint& inner, const Endpoint& remote, std::uint16_t& port);

  NatConfig config_;
  Endpoint outer_;
  Luck luck_;
  std::map<Key, std::uint16_t> ports_;
  std::map<std::uint16_t, Mapping> mappings_;
};

}  // namespace kadmesh
