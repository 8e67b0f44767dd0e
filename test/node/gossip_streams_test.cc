// GossipStreams beside a peer that is the test's to play.
#include "node/gossip_streams.h"

#include "transport/swarm_net.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kMeshsub{"/meshsub/1.1.0"};

// 0 speaks gossip; 1 only opens and accepts streams.
struct Beside : TwoSwarms {
  explicit Beside(GossipConfig config = {}) : gossip(node(0).key, std::move(config), turn(0)) {
    node(0).on_event = [this](Turn t, const SwarmEvent& event) {
      if (const auto* up = std::get_if<Established>(&event)) {
        gossip.on_connected(t, up->peer, {&up->remote, 1}, up->opened_by_us);
        streams.on_connected(t, up->peer);
      }
      return streams.on_event(t, event);
    };
    node(0).after_events = [this](Turn t) {
      while (auto action = gossip.poll())
        if (const auto* send = std::get_if<GossipSend>(&*action)) streams.send(t, *send);
    };
    node(1).on_event = [this](Turn, const SwarmEvent& event) {
      const auto* opened = std::get_if<StreamOpened>(&event);
      if (!opened || opened->opened_by_us) return false;
      ++accepted;
      theirs = opened->key;
      return true;
    };
    timer = [this] { return streams.next_timer(); };
    on_timer = [this] { streams.on_timer(turn(0)); };
    swarm(0).hold(id(1));
    swarm(1).hold(id(0));
    swarm(1).serve(kMeshsub.front());
  }

  StreamKey open() { return *swarm(1).open_stream(turn(1), id(0), kMeshsub, in(10s)); }
  void say(StreamKey key, ByteView bytes) { swarm(1).write(turn(1), key, bytes); }

  Gossip gossip;
  GossipStreams streams{swarm(0), gossip};
  std::size_t accepted = 0;
  StreamKey theirs{};
};

struct Mute : Beside {
  Mute() : Beside(without_gossip()) {}
  static GossipConfig without_gossip() {
    GossipConfig config;
    config.protocols.clear();
    return config;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Mute,
                  "gossip streams: a node without GossipSub opens no stream, and takes none") {
  connect(0, 1);
  const StreamKey key = open();
  run_for(2min);
  CHECK(accepted == 0);
  CHECK(streams.streams() == 0);
  CHECK(swarm(1).write(turn(1), key, as_bytes("hello")) == 0);  // refused
  CHECK(gossip.publish(turn(0), "news", {}).error().code == Errc::no_peers);
}

TEST_CASE_FIXTURE(Beside, "gossip streams: a peer that agrees and resets at once is given up") {
  connect(0, 1);
  for (int i = 0; i < 1'200; ++i) {
    run_for(100ms);
    swarm(1).reset(turn(1), theirs, 0);
  }
  CHECK(accepted == 1 + GossipStreams::kMostReopens);
}

TEST_CASE_FIXTURE(Beside, "gossip streams: one that held for a while is opened again, ever again") {
  connect(0, 1);
  for (std::size_t i = 1; i <= 20; ++i) {
    run_for(11s);
    CHECK(accepted == i);
    swarm(1).reset(turn(1), theirs, 0);
  }
}

TEST_CASE_FIXTURE(Beside, "gossip streams: an RPC that never gets whole ends its stream") {
  connect(0, 1);
  const StreamKey key = open();
  say(key, Bytes{0xff, 0x7f});  // of 16,383 bytes
  for (int i = 0; i < 5; ++i) {
    run_for(10s);
    say(key, Bytes{0});
    CHECK(all<StreamReset>(1).empty());
  }
  run_for(11s);
  CHECK(only<StreamReset>(1).key == key);
}

TEST_CASE_FIXTURE(Beside, "gossip streams: RPCs that come slowly and whole, or not at all, may") {
  connect(0, 1);
  const StreamKey key = open();
  for (int i = 0; i < 5; ++i) {
    say(key, Bytes{0x02, 0x0a});
    run_for(50s);
    say(key, Bytes{0x00, 0x02, 0x0a});  // the next begins with the end of this one
    run_for(50s);
    say(key, Bytes{0x00});
    run_for(200s);
  }
  CHECK(all<StreamReset>(1).empty());
}

}  // namespace kadmesh
