#include "base/multiaddr.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "base/varint.h"
#include "refusal.h"
#include "vectors/multiaddr_vectors.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

Multiaddr addr(std::string_view text) { return Multiaddr::from_text(text).value(); }

Errc refusal(std::string_view text) { return refusal_of(Multiaddr::from_text(text)); }

Errc refusal_of_bytes(std::string_view bytes) {
  return refusal_of(Multiaddr::from_bytes(hex(bytes)));
}

std::string bytes_of(std::string_view text) { return to_hex(addr(text).bytes()); }

std::string text_of(std::string_view bytes) {
  return Multiaddr::from_bytes(hex(bytes)).value().text();
}

const std::string kPeer = "/p2p/" + std::string(spec_keys::kEd25519Id);
const std::string kOther = "/p2p/" + std::string(spec_keys::kRsaId);

PeerId peer() { return PeerId::from_text(spec_keys::kEd25519Id).value(); }

}  // namespace

// Checked against @multiformats/multiaddr.
TEST_CASE("multiaddr: golden bytes") {
  CHECK(bytes_of("/ip4/127.0.0.1/tcp/4001") == "047f000001060fa1");
  CHECK(bytes_of("/ip6/::1/tcp/80") == "2900000000000000000000000000000001060050");
  CHECK(bytes_of("/dns4/example.com/tcp/443/wss") == "360b6578616d706c652e636f6d0601bbde03");
  CHECK(bytes_of("/ip4/1.2.3.4/udp/4001/quic-v1") == "040102030491020fa1cd03");
  const std::string id = to_hex(peer().bytes());
  CHECK(bytes_of("/p2p-circuit" + kPeer) == "a202a50326" + id);
}

TEST_CASE("multiaddr: go's text and bytes") {
  for (const auto& [text, bytes] : multiaddr_vectors::kPairs) {
    CHECK(bytes_of(text) == bytes);
    CHECK(text_of(bytes) == text);
  }
}

TEST_CASE("multiaddr: what go takes we take, and it comes back from its bytes and its text") {
  for (const std::string_view text : multiaddr_vectors::kGood) {
    CAPTURE(text);
    const auto read = Multiaddr::from_text(text);
    REQUIRE(read);
    CHECK(Multiaddr::from_bytes(read->bytes()) == *read);
    CHECK(Multiaddr::from_text(read->text()) == *read);
  }
}

TEST_CASE("multiaddr: what go refuses we refuse") {
  for (const std::string_view text : multiaddr_vectors::kBad) {
    CAPTURE(text);
    CHECK(!Multiaddr::from_text(text));
  }
}

TEST_CASE("multiaddr: every protocol's text comes back as it was") {
  for (const std::string& text :
       {std::string("/ip4/1.2.3.4/tcp/4001"), std::string("/ip6/2001:db8::1/tcp/4001"),
        std::string("/ip6zone/eth0/ip6/fe80::1/udp/1/quic"), std::string("/dccp/1/sctp/65535/utp"),
        std::string("/ip6/2001:db8::/ipcidr/32"), std::string("/dns/a.b/tcp/1/tls/sni/a.b/ws"),
        std::string("/dns6/x/tcp/1/https"), "/dnsaddr/bootstrap.libp2p.io" + kOther,
        std::string("/ip4/1.2.3.4/udp/9/webrtc-direct/certhash/"
                    "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g"),
        "/ip4/1.2.3.4/tcp/1" + kOther + "/p2p-circuit" + kPeer + "/webrtc",
        std::string("/ip4/1.2.3.4/udp/1/p2p-webrtc-direct"), std::string("/unix/tmp/a socket"),
        std::string("/ip4/1.2.3.4/tcp/1/noise"), std::string("/ip4/1.2.3.4/tcp/1/plaintextv2"),
        std::string("/ip4/1.2.3.4/udp/1/udt"), std::string("/memory/18446744073709551615"),
        std::string("/ip4/1.2.3.4/udp/1/quic-v1/webtransport"),
        std::string("/dns4/a/tcp/1/http/http-path/a%2Fb%20c%25"), std::string("/tcp/1/wss")}) {
    CAPTURE(text);
    CHECK(addr(text).text() == text);
    CHECK(Multiaddr::from_bytes(addr(text).bytes()).value() == addr(text));
  }
}

TEST_CASE("multiaddr: what can be written in several ways is printed in one") {
  CHECK(addr("/ip6/2001:0DB8:0:0::1/tcp/1").text() == "/ip6/2001:db8::1/tcp/1");
  CHECK(addr("/ipfs/" + std::string(spec_keys::kEd25519Id)).text() == kPeer);
  CHECK(addr("/p2p/" + peer().base36_cid()).text() == kPeer);
  CHECK(addr("/ip4/1.2.3.4/tcp/1/").text() == "/ip4/1.2.3.4/tcp/1");
  CHECK(addr("/http-path/%66oo%2fbar").text() == "/http-path/foo%2Fbar");
  CHECK(addr("/certhash/f1220" + to_hex(Bytes(32, 0))).text() ==
        "/certhash/uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

TEST_CASE("multiaddr: memory is 8 bytes, as in go and rust") {
  CHECK(bytes_of("/memory/1234") == "890600000000000004d2");
}

TEST_CASE("H68: empty parts of a text are refused") {
  for (const char* text : {"",
                           "/",
                           "//",
                           "///",
                           "ip4/1.2.3.4",
                           "/ip4",
                           "/ip4/",
                           "/ip4//tcp/1",
                           "//ip4/1.2.3.4",
                           "/ip4/1.2.3.4//tcp/1",
                           "/tcp",
                           "/dns4//tcp/1",
                           "/dns4",
                           "/p2p",
                           "/p2p/",
                           "/unix",
                           "/unix/",
                           "/http-path/",
                           "/sni//tls",
                           "/onion/:80",
                           "/certhash/",
                           "/certhash/u",
                           "/ip6zone//ip6/::1"}) {
    CAPTURE(text);
    CHECK(refusal(text) == Errc::malformed);
  }
}

TEST_CASE("H68: bad names are refused in text and in bytes") {
  CHECK(refusal("/dns4/a b/tcp/1") == Errc::malformed);
  CHECK(refusal("/dns4/a\nb/tcp/1") == Errc::malformed);
  CHECK(refusal("/dns/\xff\xfe") == Errc::malformed);
  CHECK(refusal("/dns/" + std::string(254, 'a')) == Errc::malformed);
  CHECK(addr("/dns/" + std::string(253, 'a')).text().size() == 258);
  CHECK(refusal_of_bytes("3600") == Errc::malformed);              // an empty name
  CHECK(refusal_of_bytes("3603612f62") == Errc::malformed);        // a/b
  CHECK(refusal_of_bytes("3603610062") == Errc::malformed);        // a NUL inside
  CHECK(refusal_of_bytes("9003036162632f") == Errc::malformed);    // a path without its slash
  CHECK(refusal_of_bytes("9003052f746d702f") == Errc::malformed);  // or with one at its end
}

TEST_CASE("H68: every address cut short anywhere is refused, and nothing is read behind it") {
  for (const std::string_view text : multiaddr_vectors::kGood) {
    const Multiaddr whole = addr(text);
    const std::size_t parts = whole.parts().size();
    for (std::size_t size = 0; size < whole.bytes().size(); ++size) {
      // A copy of its own, so that a sanitizer sees a read beyond the end.
      const Bytes cut = to_bytes(whole.bytes().first(size));
      const auto read = Multiaddr::from_bytes(cut);
      if (read) CHECK(read->parts().size() < parts);
    }
  }
}

TEST_CASE("H68: noise is an address or an error") {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    Bytes noise(rng.below(40) + 1);
    rng.fill(noise);
    if (const auto read = Multiaddr::from_bytes(noise)) {
      CHECK(equal(read->bytes(), noise));
      CHECK(Multiaddr::from_text(read->text()) == *read);
    }
    if (const auto read = Multiaddr::from_text("/" + std::string(as_text(noise)))) {
      CHECK(Multiaddr::from_bytes(read->bytes()) == *read);
    }
  }
}

TEST_CASE("multiaddr: bytes that break the encoding are refused") {
  CHECK(refusal_of_bytes("") == Errc::malformed);
  CHECK(refusal_of_bytes("8400047f000001") == Errc::malformed);          // varint not minimal
  CHECK(refusal_of_bytes("04010203") == Errc::malformed);                // cut short
  CHECK(refusal_of_bytes("360b6578") == Errc::malformed);                // length beyond the end
  CHECK(refusal_of_bytes("36ffffffffffffffff7f61") == Errc::malformed);  // far beyond it
  CHECK(refusal_of_bytes("a503020000") == Errc::malformed);              // no peer id
  CHECK(refusal_of_bytes("d203031220ff") == Errc::malformed);            // no multihash
  CHECK(refusal_of_bytes("bc03" + to_hex(Bytes(12, 0))) == Errc::malformed);  // port 0
  CHECK(refusal_of_bytes("bf0321" + to_hex(Bytes(33, 0))) == Errc::malformed);
}

TEST_CASE("multiaddr: an unknown protocol is told apart, for the rest cannot be read") {
  CHECK(refusal_of_bytes("04010203040a") == Errc::unsupported);
  CHECK(refusal("/ip4/1.2.3.4/foo/1") == Errc::unsupported);
  CHECK(Multiaddr::from_text("/ip4/1.2.3.4/f\x1boo").error().detail == "address protocol \"f?oo\"");
}

TEST_CASE("multiaddr: bytes and parts are bounded") {
  std::string parts;
  for (std::size_t i = 0; i < Multiaddr::kMostParts; ++i) parts += "/tcp/1";
  CHECK(addr(parts).parts().size() == Multiaddr::kMostParts);
  CHECK(refusal(parts + "/tcp/1") == Errc::limit);
  Bytes bytes = to_bytes(addr(parts).bytes());
  append(bytes, hex("060001"));
  CHECK(refusal_of(Multiaddr::from_bytes(bytes)) == Errc::limit);

  const std::string path(Multiaddr::kMostSize - 4, 'a');  // two bytes of code, two of length
  CHECK(addr("/http-path/" + path).bytes().size() == Multiaddr::kMostSize);
  CHECK(refusal("/http-path/" + path + "a") == Errc::limit);
  CHECK(refusal("/http-path/" + std::string(100000, 'a')) == Errc::limit);
  Bytes longer = hex("e103");
  put_varint(longer, path.size() + 1);
  append(longer, as_bytes(path + "a"));
  CHECK(refusal_of(Multiaddr::from_bytes(longer)) == Errc::limit);
}

TEST_CASE("multiaddr: its parts are views of its values") {
  const Multiaddr whole = addr("/dns4/a.b/tcp/258/ws");
  const auto parts = whole.parts();
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].code == AddrCode::dns4);
  CHECK(as_text(parts[0].value) == "a.b");
  CHECK(to_hex(parts[1].value) == "0102");
  CHECK(parts[2].value.empty());
  CHECK(whole.has(AddrCode::ws));
  CHECK(!whole.has(AddrCode::wss));
}

TEST_CASE("multiaddr: a trailing /p2p names the peer") {
  const std::string tcp = "/ip4/1.2.3.4/tcp/1";
  CHECK(addr(tcp + kPeer).peer() == peer());
  CHECK(!addr(tcp).peer());
  CHECK(!addr(tcp + kPeer + "/p2p-circuit").peer());  // the relay, not the destination
  CHECK(addr(tcp + kOther + "/p2p-circuit" + kPeer).peer() == peer());
}

TEST_CASE("multiaddr: a peer is added, replaced and taken away") {
  const std::string tcp = "/ip4/1.2.3.4/tcp/1";
  CHECK(addr(tcp).with_peer(peer()).text() == tcp + kPeer);
  CHECK(addr(tcp + kOther).with_peer(peer()).text() == tcp + kPeer);
  CHECK(addr(tcp + kOther + "/p2p-circuit").with_peer(peer()).text() ==
        tcp + kOther + "/p2p-circuit" + kPeer);
  CHECK(addr(tcp + kPeer).without_peer().text() == tcp);
  CHECK(addr(tcp).without_peer().text() == tcp);
  CHECK(addr(kPeer).without_peer().text() == kPeer);
  CHECK(addr(kOther).with_peer(peer()).text() == kPeer);
}

TEST_CASE("multiaddr: an address at its bounds, or behind /unix, can still be given a peer") {
  std::string parts;
  for (std::size_t i = 0; i < Multiaddr::kMostParts; ++i) parts += "/tcp/1";
  CHECK(addr(parts).with_peer(peer()).peer() == peer());
  CHECK(addr("/unix/tmp/s").with_peer(peer()).without_peer() == addr("/unix/tmp/s"));
}

TEST_CASE("multiaddr: a plain TCP address is an endpoint and back") {
  for (const char* text : {"/ip4/1.2.3.4/tcp/4001", "/ip6/2001:db8::1/tcp/0"}) {
    const auto endpoint = addr(text).tcp_endpoint();
    REQUIRE(endpoint);
    CHECK(Multiaddr::tcp(*endpoint) == addr(text));
  }
  CHECK(addr("/ip4/1.2.3.4/tcp/4001" + kPeer).tcp_endpoint()->port == 4001);
  for (const std::string& text :
       {std::string("/ip4/1.2.3.4"), std::string("/ip4/1.2.3.4/udp/1"), std::string("/tcp/1"),
        std::string("/dns4/a/tcp/1"), std::string("/ip4/1.2.3.4/tcp/1/ws"),
        "/ip4/1.2.3.4/tcp/1" + kOther + "/p2p-circuit", std::string("/ip4/1.2.3.4/tcp/1/tls/ws"),
        "/ip4/1.2.3.4/tcp/1" + kOther + "/p2p-circuit" + kPeer,
        std::string("/ip6zone/eth0/ip6/fe80::1/tcp/1")}) {
    CAPTURE(text);
    CHECK(!addr(text).tcp_endpoint());
  }
}

TEST_CASE("multiaddr: loopback and unspecified endpoints, mapped ones too") {
  const auto endpoint = [](const std::string& ip) {
    return addr(ip + "/tcp/1").tcp_endpoint().value();
  };
  for (const char* ip : {"/ip4/127.0.0.1", "/ip4/127.9.9.9", "/ip6/::1", "/ip6/::ffff:127.0.0.1"}) {
    CHECK(endpoint(ip).loopback());
    CHECK(!endpoint(ip).unspecified());
  }
  for (const char* ip : {"/ip4/0.0.0.0", "/ip6/::", "/ip6/::ffff:0.0.0.0"}) {
    CHECK(endpoint(ip).unspecified());
    CHECK(!endpoint(ip).loopback());
  }
  for (const char* ip : {"/ip4/10.0.0.1", "/ip6/::2", "/ip6/::7f00:1", "/ip4/0.0.0.1"}) {
    CHECK(!endpoint(ip).loopback());
    CHECK(!endpoint(ip).unspecified());
  }
}

TEST_CASE("multiaddr: order and hash follow the bytes") {
  CHECK(addr("/tcp/1") < addr("/tcp/2"));
  CHECK(std::hash<Multiaddr>{}(addr("/tcp/1")) == std::hash<Multiaddr>{}(addr("/tcp/1/")));
  CHECK(std::hash<Multiaddr>{}(addr("/tcp/1")) != std::hash<Multiaddr>{}(addr("/tcp/2")));
}

}  // namespace kadmesh
