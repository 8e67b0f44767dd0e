#include "kad/scope.h"

#include <doctest/doctest.h>

#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

Multiaddr addr(std::string_view text) { return Multiaddr::from_text(text).value(); }
std::vector<Dialable> at_all(std::initializer_list<std::string_view> texts) {
  std::vector<Dialable> all;
  for (const std::string_view text : texts) all.emplace_back(addr(text), Source::identify);
  return all;
}

constexpr std::string_view kPublic = "/ip4/5.6.7.8/tcp/4001", kPrivate = "/ip4/10.0.0.1/tcp/4001",
                           kPublic6 = "/ip6/2a00::1/tcp/4001", kLoopback = "/ip4/127.0.0.1/tcp/1",
                           kName = "/dns4/example.org/tcp/1";
const std::string kCircuit = std::string(kPublic) + "/p2p/" + peer(1).text() + "/p2p-circuit";

}  // namespace

TEST_CASE("scope: automatic is wan under the public protocol where a seed is public") {
  const std::vector<Multiaddr> world{addr(kPrivate), addr(kPublic)},
      lab{addr(kLoopback), addr(kName)}, list{addr("/dnsaddr/bootstrap.libp2p.io")};
  CHECK(settled(Scope::automatic, "/ipfs/kad/1.0.0", world) == Scope::wan);
  CHECK(settled(Scope::automatic, "/ipfs/kad/1.0.0", list) == Scope::wan);
  CHECK(settled(Scope::automatic, "/ipfs/kad/1.0.0", lab) == Scope::any);
  CHECK(settled(Scope::automatic, "/ipfs/kad/1.0.0", {}) == Scope::any);
  CHECK(settled(Scope::automatic, "/mine/kad/1.0.0", world) == Scope::any);
  CHECK(settled(Scope::automatic, "/ipfs/lan/kad/1.0.0", {}) == Scope::lan);
  CHECK(settled(Scope::lan, "/ipfs/kad/1.0.0", world) == Scope::lan);
}

TEST_CASE("scope: wan asks and takes in who has a public address that is no circuit") {
  for (const std::string_view text : {kPublic, kPublic6}) {
    CHECK(may_ask(Scope::wan, at_all({kPrivate, text})));
    CHECK(may_enter(Scope::wan, at_all({kPrivate, text}), std::nullopt));
  }
  for (const std::string_view text : {kPrivate, kLoopback, kName, std::string_view(kCircuit)})
    CHECK_FALSE(may_ask(Scope::wan, at_all({text})));
  CHECK_FALSE(may_ask(Scope::wan, {}));
  // Seen in the public network, with nowhere there to dial it.
  CHECK_FALSE(may_enter(Scope::wan, at_all({kPrivate}), public_subnet(addr(kPublic))));
}

TEST_CASE("scope: lan asks everybody with an address, and takes in whom it sees at home") {
  CHECK(may_ask(Scope::lan, at_all({kPublic})));
  CHECK_FALSE(may_ask(Scope::lan, {}));
  CHECK(may_enter(Scope::lan, at_all({kPrivate, kPublic}), std::nullopt));
  CHECK_FALSE(may_enter(Scope::lan, at_all({kPublic}), std::nullopt));
  CHECK_FALSE(may_enter(Scope::lan, at_all({kPrivate}), public_subnet(addr(kPublic))));
}

TEST_CASE("scope: any is for everybody, with or without an address") {
  CHECK(may_ask(Scope::any, {}));
  CHECK(may_enter(Scope::any, {}, public_subnet(addr(kPublic))));
}

}  // namespace kadmesh
