#include "kad/subnet.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

Multiaddr addr(std::string_view text) { return Multiaddr::from_text(text).value(); }

}  // namespace

TEST_CASE("subnet: a /24 is held by its /16, or by the whole /8 that one holder got") {
  const auto held = [](std::string_view text) { return holding(*public_subnet(addr(text))); };
  CHECK(held("/ip4/5.6.7.8/tcp/1") == held("/ip4/5.6.200.8/tcp/1"));
  CHECK(held("/ip4/5.6.7.8/tcp/1") != held("/ip4/5.7.7.8/tcp/1"));
  CHECK(held("/ip4/17.6.7.8/tcp/1") == held("/ip4/17.200.7.8/tcp/1"));
  CHECK(held("/ip6/2a00:1:2::1/tcp/1") == held("/ip6/2a00:1:3::1/tcp/1"));
  CHECK(held("/ip6/2a00:1:2::1/tcp/1") != held("/ip6/2a00:2:2::1/tcp/1"));
}

TEST_CASE("subnet: ranges are read, and contain what begins with their bits") {
  const auto range = SubnetRange::from_text("198.18.0.0/15").value();
  CHECK(range.contains(*public_subnet(addr("/ip4/198.18.9.1/tcp/1"))));
  CHECK(range.contains(*public_subnet(addr("/ip4/198.19.255.1/tcp/1"))));
  CHECK_FALSE(range.contains(*public_subnet(addr("/ip4/198.20.0.1/tcp/1"))));
  CHECK_FALSE(range.contains(*public_subnet(addr("/ip6/2a00::1/tcp/1"))));
  const auto all6 = SubnetRange::from_text("::/0").value();
  CHECK(all6.contains(*public_subnet(addr("/ip6/2a00::1/tcp/1"))));
  for (const std::string_view text : {"", "/", "1.2.3.4", "1.2.3.4/25", "2a00::/49", "1.2.3/8",
                                      "1.2.3.4/8x", "1.2.3.4/tcp/1/8", "1.2.3.4/-1"}) {
    CAPTURE(text);
    CHECK(SubnetRange::from_text(text).error().code == Errc::invalid);
  }
}

}  // namespace kadmesh
