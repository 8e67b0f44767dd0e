#include "transport/request.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/framing.h"
#include "base/varint.h"
#include "transport/kept_streams.h"
#include "transport/swarm_net.h"

namespace kadmesh {
namespace {

const std::string kAsk = "/ask/1";

// Node 0 asks, node 1 answers in the way that the test chooses.
class Asking : public TwoSwarms {
 public:
  enum class Answer { echo, open, twice, silence, half, nothing, endless };

  explicit Asking(WireOptions wire = {}) : TwoSwarms(wire) {
    swarm(1).serve(kAsk);
    node(0).on_event = [this](Turn t, const SwarmEvent& e) { return requester.on_event(t, e); };
    node(1).on_event = [this](Turn t, const SwarmEvent& e) { return answer(t, e); };
    timer = [this] { return requester.next_timer(); };
    on_timer = [this] { requester.on_timer(turn(0)); };
  }

  Request request(Bytes message, Duration deadline = 10s) {
    return {.peer = id(1),
            .addrs = {addr(1)},
            .protocols = {kAsk},
            .message = std::move(message),
            .expects_reply = true,
            .most_reply = 4 << 20,
            .deadline = in(deadline)};
  }
  RequestId ask(std::string_view text, Duration deadline = 10s) {
    return requester.ask(turn(0), request(to_bytes(as_bytes(text)), deadline));
  }
  std::vector<Completed> completed() {
    std::vector<Completed> done;
    while (auto one = requester.poll()) done.push_back(*std::move(one));
    return done;
  }
  Result<Bytes> only_reply() {
    auto done = completed();
    REQUIRE(done.size() == 1);
    return done.front().reply;
  }
  void nothing_left() {
    CHECK(requester.outstanding() == 0);
    CHECK(requester.next_timer() == kNever);
    CHECK(swarm(0).counters().streams == 0);
    CHECK(swarm(0).counters().dial_jobs == 0);
    close_all();
  }

  Answer how = Answer::echo;
  // Of a stream that stays open for more.
  Request again(std::string_view text) {
    Request asked = request(to_bytes(as_bytes(text)));
    asked.reuses_stream = true;
    return asked;
  }
  Result<Bytes> answer_to(Request asked) {
    requester.ask(turn(0), std::move(asked));
    run_until([&] { return requester.outstanding() == 0; }, 5s);
    return only_reply();
  }

  // The peer says something on the stream that answered last.
  void say(std::string_view text) {
    swarm(1).write(turn(1), last_, frame(as_bytes(text)));
    settle();
  }

  std::size_t heard = 0;   // whole messages at the answering end
  std::size_t opened = 0;  // streams at the answering end
  std::size_t resets = 0;  // streams that the answering end lost
  Requester requester{swarm(0)};

 private:
  bool answer(Turn turn, const SwarmEvent& event) {
    if (std::holds_alternative<StreamOpened>(event)) ++opened;
    if (const auto* lost = std::get_if<StreamReset>(&event)) {
      ++resets;
      readers_.erase(lost->key);
    } else if (const auto* readable = std::get_if<StreamReadable>(&event)) {
      read(turn, readable->key);
    } else if (const auto* room = std::get_if<StreamWritable>(&event)) {
      write(turn, room->key);
    }
    return false;
  }
  void read(Turn turn, StreamKey key) {
    auto& reader = readers_.try_emplace(key, FrameReader(4 << 20)).first->second;
    const ByteView view = swarm(1).readable(key);
    ByteView rest = view;
    const auto message = reader.next(rest);
    swarm(1).consumed(turn, key, view.size() - rest.size());
    if (!message || !*message) return;
    ++heard;
    if (how == Answer::silence) return;
    Bytes& out = unsent_[key];
    if (how == Answer::echo || how == Answer::open) out = frame(**message);
    if (how == Answer::twice) out = frame(**message), append(out, frame(**message));
    if (how == Answer::half) out = frame(**message), out.resize(out.size() / 2);
    if (how == Answer::endless) put_varint(out, 1 << 30), out.resize(100);
    write(turn, key);
  }
  void write(Turn turn, StreamKey key) {
    Bytes& out = unsent_[key];
    const std::size_t count = swarm(1).write(turn, key, out);
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count));
    if (!out.empty()) return;
    unsent_.erase(key);
    last_ = key;
    if (how != Answer::open && how != Answer::twice) swarm(1).finish(turn, key);
  }

  std::map<StreamKey, FrameReader> readers_;
  std::map<StreamKey, Bytes> unsent_;
  StreamKey last_{};  // that answered
};

}  // namespace

TEST_CASE_FIXTURE(Asking, "request: connects, asks and has the answer after three round trips") {
  const Time start = time();
  const RequestId asked = ask("question");
  REQUIRE(run_until([&] { return requester.outstanding() == 0; }, 5s));
  CHECK(time() - start == 3 * rtt());
  const auto done = completed();
  REQUIRE(done.size() == 1);
  CHECK(done[0].id == asked);
  CHECK(as_text(*done[0].reply) == "question");
  run_for(1s);
  CHECK(resets == 0);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: one round trip over a connection that exists") {
  connect(0, 1);
  const Time start = time();
  ask("question");
  REQUIRE(run_until([&] { return requester.outstanding() == 0; }, 5s));
  CHECK(time() - start == rtt());
  CHECK(only_reply().has_value());
}

TEST_CASE_FIXTURE(Asking, "request: a peer that answers and waits for more is not reset") {
  how = Answer::open;
  ask("question");
  run_for(2s);
  CHECK(only_reply().has_value());
  CHECK(resets == 0);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: several to one peer share the dial") {
  for (int i = 0; i < 20; ++i) ask("question");
  run_for(2s);
  CHECK(pipes() == 1);
  const auto done = completed();
  CHECK(done.size() == 20);
  for (const auto& one : done) CHECK(one.reply.has_value());
  nothing_left();
}

TEST_CASE("request: large messages pass, whatever the segments") {
  for (const bool ragged : {false, true}) {
    Asking net({.segment = 3000, .ragged = ragged});
    Bytes message(1'500'000);
    Rng(7).fill(message);
    net.requester.ask(net.turn(0), net.request(message, 60s));
    net.run_for(60s);
    CHECK(net.only_reply() == message);
    net.nothing_left();
  }
}

TEST_CASE_FIXTURE(Asking, "request: a silent peer costs until the deadline, and then nothing") {
  how = Answer::silence;
  connect(0, 1);
  ask("anybody?", 3s);
  const Time start = time();
  REQUIRE(run_until([&] { return requester.outstanding() == 0; }, 60s));
  CHECK(time() - start == 3s);
  CHECK(only_reply().error().code == Errc::timeout);
  run_for(1s);
  CHECK(resets == 1);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: a peer that cannot be reached fails with the dial's cause") {
  Request asked = request({});
  asked.addrs = {addr(9)};
  requester.ask(turn(0), asked);
  asked.addrs = {};
  requester.ask(turn(0), asked);
  run_for(2s);
  const auto done = completed();
  REQUIRE(done.size() == 2);
  for (const auto& one : done) CHECK(one.reply.error().code == Errc::unreachable);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: a protocol that the peer does not serve fails as such") {
  swarm(1).stop_serving(kAsk);
  ask("question");
  Request order = request({});
  order.expects_reply = false;
  requester.ask(turn(0), order);
  run_for(2s);
  const auto done = completed();
  REQUIRE(done.size() == 2);
  for (const auto& one : done) CHECK(one.reply.error().code == Errc::unsupported);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: without a reply it is done when the peer has agreed") {
  how = Answer::silence;
  connect(0, 1);
  Request order = request(Bytes(100'000));
  order.expects_reply = false;
  requester.ask(turn(0), order);
  const Time start = time();
  REQUIRE(run_until([&] { return requester.outstanding() == 0; }, 5s));
  CHECK(time() - start == rtt());
  CHECK(only_reply()->empty());
  run_for(1s);
  CHECK(heard == 1);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: an answer longer than allowed is refused by its length") {
  how = Answer::endless;
  ask("question");
  run_for(1s);
  CHECK(only_reply().error().code == Errc::limit);
  CHECK(swarm(0).counters().buffered_bytes == 0);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: half an answer, or none, is not an answer") {
  for (const Answer wrong : {Answer::half, Answer::nothing}) {
    how = wrong;
    ask("question");
    run_for(1s);
    CHECK(only_reply().error().code == Errc::closed);
  }
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: cancelled, it never completes and leaves nothing") {
  how = Answer::silence;
  const RequestId dialing = ask("one");
  settle();
  requester.cancel(turn(0), dialing);
  run_for(1s);
  CHECK(node(0).pipes.empty());
  connect(0, 1);
  const RequestId waiting = ask("two");
  run_for(1s);
  requester.cancel(turn(0), waiting);
  run_for(1s);
  CHECK(resets == 1);
  how = Answer::echo;
  const RequestId answered = ask("three");
  run_for(1s);
  requester.cancel(turn(0), answered);
  CHECK(completed().empty());
  nothing_left();
}

TEST_CASE_FIXTURE(Asking,
                  "request: into a connection that was dead already, it goes out once more") {
  connect(0, 1);
  ask("question");
  settle();
  pipe(0).cut();
  run_for(2s);
  CHECK(only_reply().has_value());
  CHECK(pipes() == 2);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: once more is not for ever") {
  connect(0, 1);
  ask("question");
  settle();
  pipe(0).cut();
  REQUIRE(run_until([&] { return swarm(0).connected(id(1)) && pipes() == 2; }, 5s));
  pipe(1).cut();
  run_for(2s);
  CHECK(only_reply().error().code == Errc::reset);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: a stream that has answered is asked again, until it is idle") {
  how = Answer::open;
  for (const std::string_view text : {"one", "two", "three"}) {
    CHECK(as_text(*answer_to(again(text))) == text);
    CHECK(requester.kept_streams() == 1);
    run_for(KeptStreams::kIdle - 1s);
  }
  CHECK(opened == 1);
  run_for(2s);
  CHECK(requester.kept_streams() == 0);
  CHECK(swarm(0).counters().streams == 0);
  CHECK(resets == 0);
  CHECK(answer_to(again("four")).has_value());
  CHECK(opened == 2);
  run_for(KeptStreams::kIdle);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: of several at once each has a stream, and one is kept") {
  how = Answer::open;
  for (const std::string_view text : {"one", "two", "three"}) requester.ask(turn(0), again(text));
  run_for(2s);
  CHECK(completed().size() == 3);
  CHECK(opened == 3);
  CHECK(requester.kept_streams() == 1);
  CHECK(swarm(0).counters().streams == 1);
  run_for(KeptStreams::kIdle);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: a stream that its peer has ended is not asked again") {
  CHECK(answer_to(again("one")).has_value());
  run_for(1s);
  CHECK(requester.kept_streams() == 0);
  CHECK(answer_to(again("two")).has_value());
  CHECK(opened == 2);
  run_for(1s);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking,
                  "request: into a kept stream that dies meanwhile, it goes out once more") {
  how = Answer::open;
  CHECK(answer_to(again("one")).has_value());
  pipe(0).cut();
  CHECK(as_text(*answer_to(again("two"))) == "two");
  CHECK(pipes() == 2);
  how = Answer::half;  // once on the kept one, once on a new one, and no more
  CHECK(answer_to(again("three")).error().code == Errc::closed);
  CHECK(opened == 3);
  run_for(KeptStreams::kIdle);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: an answer that comes too late answers nobody else") {
  how = Answer::open;
  CHECK(answer_to(again("one")).has_value());
  how = Answer::silence;
  Request slow = again("two");
  slow.deadline = in(1s);
  CHECK(answer_to(std::move(slow)).error().code == Errc::timeout);
  run_for(1s);
  CHECK(resets == 1);
  CHECK(requester.kept_streams() == 0);
  how = Answer::open;
  CHECK(as_text(*answer_to(again("three"))) == "three");
  run_for(KeptStreams::kIdle);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking,
                  "request: who says more than it was asked is asked no more on that stream") {
  how = Answer::twice;
  CHECK(as_text(*answer_to(again("one"))) == "one");
  CHECK(requester.kept_streams() == 0);
  how = Answer::open;
  CHECK(as_text(*answer_to(again("two"))) == "two");
  CHECK(opened == 2);
  say("unasked");
  run_for(1s);
  CHECK(requester.kept_streams() == 0);
  CHECK(resets == 1);
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "H57: requests that time out leave no slot behind") {
  how = Answer::silence;
  connect(0, 1);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) ask("anybody?", 500ms);
    run_for(600ms);
  }
  run_for(1s);
  CHECK(completed().size() == 2000);
  CHECK(swarm(1).counters().streams == 0);
  how = Answer::echo;
  ask("question");
  run_for(1s);
  CHECK(only_reply().has_value());
  nothing_left();
}

TEST_CASE_FIXTURE(Asking, "request: too many at once fail, the others do not") {
  how = Answer::silence;
  black_hole(endpoint(1));
  for (std::size_t i = 0; i < Requester::kMostRequests; ++i) ask("x", 1s);
  ask("one too many", 1s);
  CHECK(only_reply().error().code == Errc::limit);
  run_for(2s);
  CHECK(completed().size() == Requester::kMostRequests);
  nothing_left();
}

}  // namespace kadmesh
