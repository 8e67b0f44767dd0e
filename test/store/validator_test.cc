#include "store/validator.h"

#include <doctest/doctest.h>

#include "base/keys.h"
#include "store/ipns.h"

namespace kadmesh {
namespace {

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

Bytes pk_key(const PeerId& id) {
  Bytes key = bytes("/pk/");
  append(key, id.bytes());
  return key;
}

}  // namespace

TEST_CASE("validators: a key must be /namespace/rest with a namespace that is known") {
  const Validators validators = Validators::standard();
  for (const auto* key : {"", "/", "pk/x", "/pk", "/pk/", "//x", "/v/x"})
    CHECK_MESSAGE(validators.accepts(bytes(key)).error().code == Errc::invalid, key);
  CHECK(validators.accepts(bytes("/pk/x")).has_value());
}

TEST_CASE("validators: /pk takes the key that hashes to the name and no other") {
  const Validators validators = Validators::standard();
  Rng rng(1);
  const KeyPair one = KeyPair::make(rng), other = KeyPair::make(rng);
  const Bytes key = pk_key(one.peer_id());
  CHECK(validators.validate(key, one.public_key().proto(), {}).has_value());
  CHECK(validators.validate(key, other.public_key().proto(), {}).error().code == Errc::auth);
  CHECK(!validators.validate(key, bytes("no key"), {}).has_value());
  // Encoded otherwise it is the same key, as for go.
  Bytes longer = one.public_key().proto();
  append(longer, Bytes{0x78, 0x00});
  CHECK(validators.validate(key, longer, {}).has_value());
}

// go refuses to start under /ipfs with any other set.
TEST_CASE("validators: the standard ones are pk and ipns") {
  const Validators validators = Validators::standard();
  CHECK(validators.all().size() == 2);
  CHECK(validators.accepts(bytes("/ipns/x")).has_value());
  Rng rng(1);
  const KeyPair owner = KeyPair::make(rng);
  const Bytes record = seal_ipns(owner, bytes("/ipfs/x"), 1, WallTime(9s), 0s).value();
  CHECK(validators.validate(ipns_key(owner.peer_id()), record, WallTime(9s)).has_value());
  CHECK(!validators.validate(pk_key(owner.peer_id()), record, WallTime(9s)).has_value());
}

TEST_CASE("validators: of several pass-through values the greatest wins, whatever the order") {
  Validators validators;
  validators.set("v", std::make_shared<PassThroughValidator>());
  const std::vector<Bytes> up{bytes("a"), bytes("b"), bytes("ab")}, down{up.rbegin(), up.rend()};
  CHECK(up[validators.select(bytes("/v/k"), up)] == bytes("b"));
  CHECK(down[validators.select(bytes("/v/k"), down)] == bytes("b"));
}

}  // namespace kadmesh
