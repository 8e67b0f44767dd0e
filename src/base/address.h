// Where an address came from decides what may be done with it, and the type says so: a Dialable can
// be stored, dialed and handed out; what an inbound socket shows is an Observed, which cannot
// become one. (An inbound socket's port is the peer's ephemeral port: nobody listens there.)
#pragma once

#include <compare>
#include <string_view>
#include <vector>

#include "base/multiaddr.h"
#include "base/peer_id.h"

namespace kadmesh {

// Strongest first: of two claims about one address the stronger is kept.
enum class Source {
  configured,     // the user named it
  dialed,         // we dialed it and the peer proved its key there
  signed_record,  // in a peer record that the peer signed
  identify,       // the peer said so over a secured connection
  hint,           // a third peer said so: good for one dial, not handed on
};
std::string_view name(Source source);

class Dialable {
 public:
  // `addr` without its trailing /p2p.
  Dialable(const Multiaddr& addr, Source source) : addr_(addr.without_peer()), source_(source) {}

  const Multiaddr& addr() const { return addr_; }
  Source source() const { return source_; }
  friend auto operator<=>(const Dialable&, const Dialable&) = default;

 private:
  Multiaddr addr_;
  Source source_;
};

class Observed {
 public:
  explicit Observed(Multiaddr addr) : addr_(std::move(addr)) {}
  // For logs, per-IP limits and identify's observedAddr; there is no way back to a Dialable.
  const Multiaddr& addr() const { return addr_; }

 private:
  Multiaddr addr_;
};

// A peer and where it may be reached, best address first.
struct Contact {
  PeerId peer;
  std::vector<Dialable> addrs;
  friend bool operator==(const Contact&, const Contact&) = default;
};

}  // namespace kadmesh
