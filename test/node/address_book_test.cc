#include "node/address_book.h"

#include <doctest/doctest.h>

#include "base/keys.h"

namespace kadmesh {
namespace {

Multiaddr addr(int port) {
  return *Multiaddr::from_text("/ip4/10.0.0.1/tcp/" + std::to_string(port));
}

PeerId somebody(std::uint64_t seed) {
  Rng rng(seed);
  return KeyPair::make(rng).peer_id();
}

constexpr Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("address book: best source first, then fewer failures, then newest") {
  AddressBook book;
  const PeerId peer = somebody(1);
  book.learned(peer, {addr(1), Source::hint}, at(9));
  book.learned(peer, {addr(2), Source::identify}, at(1));
  book.learned(peer, {addr(3), Source::identify}, at(2));
  book.learned(peer, {addr(4), Source::dialed}, at(0));
  CHECK(book.dial_order(peer) == std::vector{addr(4), addr(3), addr(2), addr(1)});
  book.failed(peer, addr(3));
  CHECK(book.dial_order(peer) == std::vector{addr(4), addr(2), addr(3), addr(1)});
}

TEST_CASE("address book: of two claims about one address the stronger stays") {
  AddressBook book;
  const PeerId peer = somebody(1);
  book.learned(peer, {addr(1), Source::dialed}, at(0));
  book.learned(peer, {addr(1), Source::hint}, at(1));
  REQUIRE(book.of(peer).size() == 1);
  CHECK(book.of(peer).front().source() == Source::dialed);
}

TEST_CASE("address book: an announcement replaces the one before and nothing else") {
  AddressBook book;
  const PeerId peer = somebody(1);
  book.learned(peer, {addr(1), Source::dialed}, at(0));
  book.announced(peer, {{addr(2), Source::identify}}, at(1));
  book.announced(peer, {{addr(3), Source::signed_record}}, at(2));
  CHECK(book.dial_order(peer) == std::vector{addr(1), addr(3)});
}

TEST_CASE("H29: a peer's addresses are bounded in number, and the weakest goes first") {
  AddressBook book;
  const PeerId peer = somebody(1);
  for (int i = 0; i < 40; ++i) book.learned(peer, {addr(100 + i), Source::hint}, at(i));
  CHECK(book.of(peer).size() == AddressBook::kMostPerPeer);
  book.learned(peer, {addr(1), Source::configured}, at(50));
  CHECK(book.of(peer).size() == AddressBook::kMostPerPeer);
  CHECK(book.dial_order(peer).front() == addr(1));
}

TEST_CASE("H29: peers are bounded in number, whom we heard of longest ago goes first") {
  AddressBook book;
  const PeerId first = somebody(1);
  book.learned(first, {addr(1), Source::hint}, at(0));
  Bytes name{0, 4, 0, 0, 0, 0};
  for (std::size_t i = 0; i < AddressBook::kMostPeers; ++i) {
    for (std::size_t b = 0; b < 4; ++b) name[2 + b] = static_cast<std::uint8_t>(i >> (8 * b));
    book.learned(*PeerId::from_bytes(name), {addr(1), Source::hint}, at(1));
  }
  CHECK(book.peers() == AddressBook::kMostPeers);
  CHECK(book.of(first).empty());
}

}  // namespace kadmesh
