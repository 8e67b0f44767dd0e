// Self-describing addresses: "/ip4/127.0.0.1/tcp/4001/p2p/12D3…" (multiformats/multiaddr).
// Held in binary; text and binary parsers are total: any input gives an address or an Error, and
// the text of an address reads back as the same address, with one exception: /unix takes the rest
// of a text (as in go), so what stands behind it in binary becomes part of its path. Names (dns,
// sni, zones) and paths are printable ASCII; what a peer sends can be written to a log.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/peer_id.h"

namespace kadmesh {

// Codes of the multicodec table (protocols with an address meaning).
enum class AddrCode : std::uint32_t {
  ip4 = 4,
  tcp = 6,
  dccp = 33,
  ip6 = 41,
  ip6zone = 42,
  ipcidr = 43,
  dns = 53,
  dns4 = 54,
  dns6 = 55,
  dnsaddr = 56,
  sctp = 132,
  udp = 273,
  p2p_webrtc_direct = 276,
  webrtc_direct = 280,
  webrtc = 281,
  p2p_circuit = 290,
  udt = 301,
  utp = 302,
  unix = 400,
  p2p = 421,
  https = 443,
  onion = 444,
  onion3 = 445,
  garlic64 = 446,
  garlic32 = 447,
  tls = 448,
  sni = 449,
  noise = 454,
  quic = 460,
  quic_v1 = 461,
  webtransport = 465,
  certhash = 466,
  ws = 477,
  wss = 478,
  http = 480,
  http_path = 481,
  memory = 777,
  plaintextv2 = 7367777,
};

// Where a TCP connection goes or comes from. `host` is 4 or 16 bytes in network order.
struct Endpoint {
  std::array<std::uint8_t, 16> host{};
  bool v6 = false;
  std::uint16_t port = 0;

  ByteView address() const { return ByteView(host).first(v6 ? 16 : 4); }
  bool loopback() const;
  bool unspecified() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct AddrPart {
  AddrCode code;
  ByteView value;  // into the address; without a length prefix
};

class Multiaddr {
 public:
  static constexpr std::size_t kMostSize = 1024;  // bytes of one address
  static constexpr std::size_t kMostParts = 16;

  // Errc::malformed with the offending part named; Errc::unsupported for an unknown protocol, after
  // which the rest cannot be read; Errc::limit beyond the two bounds. Never empty. Slashes at the
  // end of a text are dropped.
  static Result<Multiaddr> from_text(std::string_view text);
  static Result<Multiaddr> from_bytes(ByteView bytes);
  static Multiaddr tcp(const Endpoint& endpoint);

  ByteView bytes() const { return bytes_; }
  // IPv6 in RFC 5952 form, peer ids in base58.
  std::string text() const;
  std::vector<AddrPart> parts() const;
  bool has(AddrCode code) const;

  // The trailing /p2p/<id>: whom the address names.
  std::optional<PeerId> peer() const;
  // Replaces a trailing /p2p, or adds one (which may pass the two bounds by that part).
  Multiaddr with_peer(const PeerId& id) const;
  // Without a trailing /p2p; an address that is nothing else stays as it is.
  Multiaddr without_peer() const;
  // Set when this is plainly dialable over TCP: /ip4|ip6/…/tcp/… and an optional /p2p, no more.
  std::optional<Endpoint> tcp_endpoint() const;

  friend bool operator==(const Multiaddr&, const Multiaddr&) = default;
  friend auto operator<=>(const Multiaddr&, const Multiaddr&) = default;

 private:
  explicit Multiaddr(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

}  // namespace kadmesh

template <>
struct std::hash<kadmesh::Multiaddr> {
  std::size_t operator()(const kadmesh::Multiaddr& addr) const noexcept;
};
