#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::string_view kV12 = "/meshsub/1.2.0";
const std::string kLarge(1024, 'x');

// Joined "t", and so have four peers of v1.2 and one, the fifth, of v1.1; all are in the mesh.
struct Mesh : Router {
  explicit Mesh(GossipConfig config = {}) : Router(std::move(config)) {
    subscribe_us();
    for (std::size_t n = 1; n <= 4; ++n) member(n, false, kV12);
    member(5);
    for (std::size_t n = 1; n <= 5; ++n) {
      CHECK(in_mesh(n));
      told(n);
    }
  }
};

}  // namespace

TEST_CASE("idontwant: a large message is refused from the mesh, but not from who sent it") {
  Mesh mesh;
  const Bytes large = signed_message(9, kLarge);
  mesh.message(1, large);
  CHECK(mesh.told(1).idontwant.empty());
  for (std::size_t n = 2; n <= 4; ++n)
    CHECK(mesh.told(n).idontwant == std::vector<MessageId>{id_of(large)});
  CHECK(mesh.gossip.stats().idontwant_sent == 3);
}

TEST_CASE("idontwant: it goes out before the application has judged the message") {
  GossipConfig config;
  config.manual_validation = true;
  Mesh mesh(config);
  mesh.message(1, signed_message(9, kLarge));
  CHECK(mesh.delivered.empty());
  CHECK(mesh.told(2).idontwant.size() == 1);
}

TEST_CASE("idontwant: a forgery makes us refuse nothing") {
  Mesh mesh;
  Bytes forged = signed_message(9, kLarge);
  forged.back() ^= 1;
  mesh.message(1, forged);
  CHECK(mesh.told(2).nothing());
}

TEST_CASE("idontwant: below the threshold nobody is told") {
  Mesh mesh;
  mesh.message(1, signed_message(9, kLarge.substr(1)));
  CHECK(mesh.told(2).idontwant.empty());
}

TEST_CASE("idontwant: a peer of v1.1 is told nothing") {
  Mesh mesh;
  mesh.message(1, signed_message(9, kLarge));
  const Told told = mesh.told(5);
  CHECK(told.idontwant.empty());
  CHECK(told.messages.size() == 1);
}

TEST_CASE("idontwant: a message of our own is refused from nobody") {
  Mesh mesh;
  REQUIRE(mesh.publish(kLarge));
  CHECK(mesh.told(2).idontwant.empty());
}

TEST_CASE("idontwant: what a peer does not want is not forwarded to it") {
  Mesh mesh;
  const Bytes large = signed_message(9, kLarge);
  mesh.idontwant(2, {id_of(large)});
  mesh.message(1, large);
  CHECK(mesh.told(2).messages.empty());
  CHECK(mesh.told(3).messages.size() == 1);
  CHECK(mesh.gossip.stats().not_wanted == 1);
}

TEST_CASE("idontwant: what a peer does not want is not served to it either") {
  Mesh mesh;
  const Bytes large = signed_message(9, kLarge);
  mesh.message(1, large);
  mesh.join(7);
  mesh.idontwant(7, {id_of(large)});
  mesh.iwant(7, {id_of(large)});
  CHECK(mesh.told(7).messages.empty());
}

TEST_CASE("idontwant: it is forgotten after three heartbeats, and with the peer") {
  Mesh mesh;
  const Bytes first = signed_message(9, kLarge, 1), second = signed_message(9, kLarge, 2);
  mesh.idontwant(2, {id_of(first), id_of(second)});
  mesh.heartbeat(), mesh.heartbeat();
  mesh.told(2);
  mesh.message(1, first);
  CHECK(mesh.told(2).messages.empty());
  mesh.heartbeat();
  mesh.told(2);
  mesh.message(1, second);
  CHECK(mesh.told(2).messages.size() == 1);

  const Bytes third = signed_message(9, kLarge, 3);
  mesh.idontwant(3, {id_of(third)});
  mesh.leave(3);
  mesh.member(3, false, kV12);
  mesh.told(3);
  mesh.message(1, third);
  CHECK(mesh.told(3).messages.size() == 1);
}

TEST_CASE("H37: of an IDONTWANT flood ten ids an RPC and a thousand RPCs a heartbeat are noted") {
  Mesh mesh;
  const Bytes tenth = signed_message(9, kLarge, 10), eleventh = signed_message(9, kLarge, 11);
  std::vector<MessageId> ids(9, MessageId{1});
  ids.push_back(id_of(tenth)), ids.push_back(id_of(eleventh));
  Bytes one;  // RPC: encode_rpc would split it
  for (const MessageId& id : ids) one.push_back(0x0a), put_frame(one, id);
  Bytes control{0x2a}, rpc{0x1a};
  put_frame(control, one), put_frame(rpc, control);
  mesh.say_raw(2, rpc);
  mesh.message(1, tenth), mesh.message(1, eleventh);
  CHECK(mesh.told(2).messages.size() == 1);

  const Bytes late = signed_message(9, kLarge, 12);
  for (std::size_t i = 1; i < gossip::kMostDontWants; ++i) mesh.idontwant(2, {MessageId{2}});
  mesh.idontwant(2, {id_of(late)});
  mesh.message(1, late);
  CHECK(mesh.told(2).messages.size() == 1);
  mesh.heartbeat();
  const Bytes next = signed_message(9, kLarge, 13);
  mesh.idontwant(2, {id_of(next)});
  mesh.told(2);
  mesh.message(1, next);
  CHECK(mesh.told(2).messages.empty());
}

}  // namespace kadmesh
