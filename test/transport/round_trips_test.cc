#include <doctest/doctest.h>

#include <algorithm>

#include "transport/swarm.h"
#include "transport/swarm_net.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kEcho{"/echo/1"};

// Asks over a fresh connection: dial, then the request as soon as there is a connection.
class FirstAnswer {
 public:
  FirstAnswer(const SwarmConfig& asking, const SwarmConfig& answering, bool dialer_asks) {
    const std::size_t dialer = net_.add(dialer_asks ? asking : answering);
    const std::size_t listener = net_.add(dialer_asks ? answering : asking);
    asker_ = dialer_asks ? dialer : listener;
    answerer_ = dialer_asks ? listener : dialer;
    net_.swarm(answerer_).serve(kEcho.front());
    net_.node(asker_).on_event = [this](Turn t, const SwarmEvent& e) { return ask(t, e); };
    net_.node(answerer_).on_event = [this](Turn t, const SwarmEvent& e) { return answer(t, e); };
    start_ = net_.time();
    net_.dial(dialer, listener);
    net_.run_for(2s);
  }

  std::string text;
  Duration total{}, since_up{};  // until the answer's first byte
  SwarmNet& net() { return net_; }
  double rtts(Duration wait) const {
    return static_cast<double>(wait.count()) / static_cast<double>(net_.rtt().count());
  }

 private:
  bool ask(Turn turn, const SwarmEvent& event) {
    Swarm& swarm = net_.swarm(asker_);
    if (const auto* up = std::get_if<Established>(&event)) {
      up_ = net_.time();
      key_ = *swarm.open_stream(turn, up->peer, kEcho, net_.in(10s));
      CHECK(swarm.write(turn, key_, as_bytes("hello")) == 5);
      swarm.finish(turn, key_);
    } else if (std::holds_alternative<StreamReadable>(event)) {
      if (text.empty()) total = net_.time() - start_, since_up = net_.time() - up_;
      const ByteView view = swarm.readable(key_);
      text += as_text(view);
      swarm.consumed(turn, key_, view.size());
    }
    return false;
  }
  bool answer(Turn turn, const SwarmEvent& event) {
    Swarm& swarm = net_.swarm(answerer_);
    if (const auto* readable = std::get_if<StreamReadable>(&event)) {
      const ByteView view = swarm.readable(readable->key);
      CHECK(swarm.write(turn, readable->key, view) == view.size());
      swarm.consumed(turn, readable->key, view.size());
    } else if (const auto* finished = std::get_if<StreamFinished>(&event)) {
      swarm.finish(turn, finished->key);
      swarm.release(turn, finished->key);
    }
    return false;
  }

  SwarmNet net_{{.latency = 50ms}};
  std::size_t asker_ = 0, answerer_ = 0;
  StreamKey key_{};
  Time start_, up_;
};

SwarmConfig early(bool offered) {
  SwarmConfig config;
  config.early_muxer = offered;
  return config;
}

}  // namespace

TEST_CASE("round trips: the first answer takes three round trips, connect() included") {
  FirstAnswer run(early(true), early(true), true);
  CHECK(run.text == "hello");
  CHECK(run.rtts(run.total) == 3);
  CHECK(run.net().only<Established>(0).early_muxer);
}

TEST_CASE("round trips: three round trips too when the muxer is negotiated inside Noise") {
  for (const bool dialer_offers : {false, true}) {
    FirstAnswer run(early(dialer_offers), early(false), true);
    CHECK(run.text == "hello");
    CHECK(run.rtts(run.total) == 3);
    CHECK(!run.net().only<Established>(0).early_muxer);
    CHECK(!run.net().only<Established>(1).early_muxer);
  }
}

TEST_CASE("round trips: a listener's first answer takes one round trip from its peer's proof") {
  for (const bool offered : {false, true}) {
    FirstAnswer run(early(true), early(offered), false);
    CHECK(run.text == "hello");
    CHECK(run.rtts(run.since_up) == 1);
    CHECK(run.rtts(run.total) == 3.5);
  }
}

TEST_CASE("round trips: each turn's bytes leave in one buffer") {
  FirstAnswer run(early(true), early(true), true);
  // header + /noise + Noise 1 | header + /noise + Noise 2 | Noise 3 + SYN + request | answer
  const auto& flights = run.net().pipe(0).flights();
  REQUIRE(flights.size() >= 4);
  CHECK(flights[0].from == Pipe::End::a);
  CHECK(flights[0].size == 20 + 8 + 2 + 32);
  CHECK(flights[1].from == Pipe::End::b);
  CHECK(flights[2].from == Pipe::End::a);
  CHECK(flights[3].from == Pipe::End::b);
  CHECK(flights[3].at - flights[0].at == 3 * run.net().rtt() / 2);
}

}  // namespace kadmesh
