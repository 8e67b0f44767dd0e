#include "transport/streams.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/connection_pair.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kEcho{"/echo/1"};
const std::vector<std::string> kNobody{"/nobody/1"};
const std::vector<std::string> kEither{"/echo/2", "/echo/1"};

struct Fixture : ConnectionPair {
  Fixture() { exchange(); }
  Time soon() const { return us.now + 10s; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "streams: opened at both ends with the same protocol") {
  const StreamId id = *us.streams().open(kEcho, soon());
  exchange();
  CHECK(us.only<StreamOpened>().protocol == "/echo/1");
  CHECK(us.only<StreamOpened>().opened_by_us);
  CHECK(them.only<StreamOpened>().key.stream == id);
  CHECK(!them.only<StreamOpened>().opened_by_us);
  CHECK(them.only<StreamOpened>().peer == us.key.peer_id());
}

TEST_CASE_FIXTURE(Fixture, "streams: with one protocol the first bytes travel with the proposal") {
  const StreamId id = *us.streams().open(kEcho, soon());
  us.streams().write(id, as_bytes("question"));
  them.hear(us.speak());
  them.poll();
  REQUIRE(them.events.size() == 2);
  CHECK(std::holds_alternative<StreamOpened>(them.events[0]));
  CHECK(std::holds_alternative<StreamReadable>(them.events[1]));
  CHECK(them.read(id) == "question");
}

TEST_CASE_FIXTURE(Fixture, "streams: with several protocols the bytes wait for the agreement") {
  const StreamId id = *us.streams().open(kEither, soon());
  CHECK(us.streams().write(id, as_bytes("question")) == 8);
  us.streams().finish(id);
  them.hear(us.speak());
  them.poll();
  CHECK(them.events.empty());
  exchange();
  CHECK(us.only<StreamOpened>().protocol == "/echo/1");
  CHECK(them.read(id) == "question");
  them.poll();
  CHECK(them.all<StreamFinished>().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "streams: what is held for an agreement is bounded, and room is told") {
  const StreamId id = *us.streams().open(kEither, soon());
  CHECK(us.streams().write(id, Bytes(100'000)) == kMostHeld);
  CHECK(us.streams().write(id, Bytes(1)) == 0);
  exchange();
  CHECK(us.all<StreamWritable>().size() == 1);
  CHECK(them.streams().readable(id).size() == kMostHeld);
}

TEST_CASE_FIXTURE(Fixture, "streams: a protocol that is refused fails the open, bytes or not") {
  const StreamId id = *us.streams().open(kNobody, soon());
  us.streams().write(id, as_bytes("into the void"));
  us.streams().finish(id);
  exchange();
  CHECK(us.only<OpenFailed>().cause.code == Errc::unsupported);
  CHECK(us.events.size() == 1);
  CHECK(them.events.empty());
  CHECK(us.streams().size() == 0);
  CHECK(them.streams().size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "H25: an open that is never answered fails at its deadline") {
  const StreamId id = *us.streams().open(kEcho, us.now + 3s);
  CHECK(us->next_timer() == us.now + 3s);
  us->on_timer(us.now + 3s);
  us.poll();
  CHECK(us.only<OpenFailed>().key.stream == id);
  CHECK(us.only<OpenFailed>().cause.code == Errc::timeout);
  CHECK(us.streams().size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "H25: a peer's stream that never names its protocol is reset") {
  us.streams().open(kEither, soon()).value();
  them.hear(us.speak());
  them.poll();
  CHECK(them.streams().size() == 1);
  CHECK(them.events.empty());
  them->on_timer(them.now + 10s);
  CHECK(them.streams().size() == 0);
  them.poll();
  CHECK(them.events.empty());
}

TEST_CASE_FIXTURE(Fixture, "streams: too many of the peer's without a protocol are reset") {
  us.speak();
  for (std::size_t i = 0; i < kMostListening + 10; ++i) us.streams().open(kEither, soon()).value();
  them.hear(us.speak());
  them.poll();
  CHECK(them.streams().size() == kMostListening);
  us.hear(them.speak());
  us.poll();
  CHECK(us.all<OpenFailed>().size() == 10);
}

TEST_CASE_FIXTURE(Fixture, "streams: places of the peer's that failed are free again") {
  us.speak();
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kMostListening; ++i) us.streams().open(kEither, soon()).value();
    them.hear(us.speak());
    them.poll();
    CHECK(them.streams().size() == kMostListening);
    pass(10s);
    us->on_timer(us.now);
    them->on_timer(them.now);
    exchange();
    CHECK(them.streams().size() == 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "streams: whoever leaves on the first event hears no second") {
  const StreamId id = *us.streams().open(kEcho, soon());
  us.streams().write(id, as_bytes("question"));
  them.hear(us.speak());
  CHECK(std::holds_alternative<StreamOpened>(*them->poll(them.now)));
  them.streams().reset(id, 0);
  CHECK(!them->poll(them.now));
}

TEST_CASE_FIXTURE(Fixture, "streams: whoever leaves before being told of the end is not told") {
  const StreamId id = *us.streams().open(kEcho, us.now + 1s);
  us->on_timer(us.now + 1s);
  us.streams().reset(id, 0);
  CHECK(!us->poll(us.now));
}

TEST_CASE_FIXTURE(Fixture, "streams: half closed, the other half still works") {
  const StreamId id = agreed_stream();
  us.streams().write(id, as_bytes("question"));
  us.streams().finish(id);
  exchange();
  CHECK(them.read(id) == "question");
  them.poll();
  CHECK(them.all<StreamFinished>().size() == 1);
  them.streams().write(id, as_bytes("answer"));
  them.streams().finish(id);
  exchange();
  CHECK(us.all<StreamFinished>().empty());
  CHECK(us.read(id) == "answer");
  us.poll();
  CHECK(us.all<StreamFinished>().size() == 1);
  CHECK(us.streams().size() == 0);
  CHECK(them.streams().size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "streams: nothing is told about one that was released") {
  const StreamId id = agreed_stream();
  us.streams().write(id, as_bytes("no answer is awaited"));
  us.streams().finish(id);
  us.streams().release(id);
  exchange();
  CHECK(them.read(id) == "no answer is awaited");
  them.streams().write(id, Bytes(1000));
  them.streams().finish(id);
  exchange();
  CHECK(us.events.empty());
  CHECK(us.streams().size() == 0);
  CHECK(us->buffered_bytes() == 0);
}

// Streams that nobody reads, so many that the muxer takes nothing more.
std::vector<StreamId> fill(ConnectionEnd& end, Time deadline) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(*end.streams().open(kEcho, deadline));
    end.streams().write(ids.back(), Bytes(256 * 1024));
  }
  return ids;
}

TEST_CASE_FIXTURE(Fixture, "streams: released before its proposal has left, it is not heard of") {
  for (const bool answered : {false, true}) {
    CAPTURE(answered);
    Fixture pair;
    const auto others = fill(pair.us, pair.us.now + 1h);
    const StreamId id = *pair.us.streams().open(kEcho, pair.soon());
    pair.us.streams().finish(id);
    pair.us.streams().release(id);
    if (answered) {
      for (const StreamId other : others) pair.us.streams().reset(other, 0);
      pair.exchange();
      CHECK(pair.them.only<StreamFinished>().key.stream == id);
    } else {
      pair.us->on_timer(pair.soon());
      pair.us.poll();
    }
    CHECK(pair.us.streams().size() == (answered ? 0 : others.size()));
    for (const Streams::Event& event : pair.us.events)
      CHECK(std::visit([](const auto& e) { return e.key.stream; }, event) != id);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "streams: released while several protocols are negotiated, it is reset") {
  fill(us, us.now + 1h);
  const std::size_t others = us.streams().size();
  const StreamId id = *us.streams().open(kEither, soon());
  us.streams().finish(id);
  us.streams().release(id);
  CHECK(us.streams().size() == others);
}

TEST_CASE_FIXTURE(Fixture, "streams: released in the middle, it is reset") {
  const StreamId id = agreed_stream();
  us.streams().write(id, as_bytes("half a"));
  us.streams().release(id);
  exchange();
  CHECK(them.only<StreamReset>().cause.code == Errc::reset);
  CHECK(us.events.empty());
}

TEST_CASE_FIXTURE(Fixture, "streams: calls with one that is gone do nothing") {
  const StreamId id = agreed_stream();
  us.streams().reset(id, 7);
  CHECK(us.streams().write(id, as_bytes("late")) == 0);
  CHECK(us.streams().readable(id).empty());
  us.streams().consumed(us.now, id, 0);
  us.streams().finish(id);
  us.streams().release(id);
  us.streams().reset(id, 8);
  exchange();
  CHECK(them.only<StreamReset>().key.stream == id);
  CHECK(us.events.empty());
}

TEST_CASE_FIXTURE(Fixture, "streams: a name that cannot be negotiated is an error of the caller") {
  CHECK(us.streams().open({}, soon()).error().code == Errc::invalid);
  CHECK(us.streams().open(std::vector<std::string>{"echo"}, soon()).error().code == Errc::invalid);
}

TEST_CASE_FIXTURE(Fixture, "streams: some protocols' streams do not count as use") {
  CHECK(!us.streams().in_use());
  us.streams().open(std::vector<std::string>{"/quiet/1"}, soon()).value();
  CHECK(!us.streams().in_use());
  const StreamId id = agreed_stream();
  CHECK(us.streams().in_use());
  CHECK(them.streams().in_use());
  us.streams().finish(id);
  us.streams().release(id);
  CHECK(!us.streams().in_use());
}

TEST_CASE("H74: with no room in the muxer nothing is lost, and the owner is told of the room") {
  Fixture pair;
  const StreamId id = pair.agreed_stream();
  std::size_t written = 0, read = 0;
  for (int turn = 0; turn < 200 && written < 3'000'000; ++turn) {
    written += pair.us.streams().write(id, Bytes(3'000'000 - written));
    pair.them.hear(pair.us.speak());
    pair.them.poll();
    read += pair.them.read(id).size();
    pair.us.hear(pair.them.speak());
    pair.us.poll();
    if (written < 3'000'000) CHECK(!pair.us.all<StreamWritable>().empty());
    pair.us.events.clear();
  }
  pair.exchange();
  read += pair.them.read(id).size();
  CHECK(written == 3'000'000);
  CHECK(read == written);
}

}  // namespace kadmesh
