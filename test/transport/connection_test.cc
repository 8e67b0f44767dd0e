#include "transport/connection.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/connection_pair.h"

namespace kadmesh {
namespace {

using Phase = Connection::Phase;

const std::vector<std::string> kEcho{"/echo/1"};

}  // namespace

TEST_CASE("connection: both ends come up and know each other") {
  ConnectionPair pair;
  CHECK(pair.us.phase() == Phase::securing);
  CHECK(pair.us->peer() == nullptr);
  pair.exchange();
  CHECK(pair.us.phase() == Phase::up);
  CHECK(pair.them.phase() == Phase::up);
  CHECK(*pair.us->peer() == pair.them.key.peer_id());
  CHECK(pair.them->peer_key() == pair.us.key.public_key());
  CHECK(pair.us->early_muxer());
}

TEST_CASE("connection: any segmentation of the bytes gives the same connection") {
  for (const bool early : {false, true}) {
    auto dialer = ConnectionPair::options(1, Role::initiator);
    dialer.early_muxer = early;
    ConnectionPair pair(dialer, ConnectionPair::options(2, Role::responder));
    for (int turn = 0; turn < 8; ++turn) {
      for (const std::uint8_t byte : pair.us.speak()) pair.them.hear(ByteView(&byte, 1));
      for (const std::uint8_t byte : pair.them.speak()) pair.us.hear(ByteView(&byte, 1));
    }
    CHECK(pair.us.phase() == Phase::up);
    CHECK(pair.them.phase() == Phase::up);
    CHECK(pair.us->early_muxer() == early);
  }
}

TEST_CASE("connection: the initiator is up with the input that proves its peer") {
  ConnectionPair pair;
  pair.them.hear(pair.us.speak());
  CHECK(pair.them.phase() == Phase::securing);
  pair.us.hear(pair.them.speak());
  CHECK(pair.us.phase() == Phase::up);
  pair.them.hear(pair.us.speak());
  CHECK(pair.them.phase() == Phase::up);
}

TEST_CASE("H19: a peer other than the one that was dialed is refused, and told nothing") {
  auto dialer = ConnectionPair::options(1, Role::initiator);
  Rng rng(99);
  dialer.expected = KeyPair::make(rng).peer_id();
  ConnectionPair pair(dialer, ConnectionPair::options(2, Role::responder));
  pair.them.hear(pair.us.speak());
  pair.us.hear(pair.them.speak());
  CHECK(pair.us.phase() == Phase::closing);
  CHECK(pair.us->cause().code == Errc::auth);
  CHECK(pair.us->peer() == nullptr);
  CHECK(pair.us.speak().empty());
  CHECK(pair.us.phase() == Phase::gone);
}

TEST_CASE("H21: a handshake that stalls in any phase ends at its deadline") {
  for (int flights = 0; flights < 3; ++flights) {
    ConnectionPair pair;
    for (int i = 0; i < flights; ++i) {
      (i % 2 == 0 ? pair.them : pair.us).hear((i % 2 == 0 ? pair.us : pair.them).speak());
    }
    ConnectionEnd& waiting = flights == 2 ? pair.them : pair.us;
    CHECK(waiting->next_timer() == waiting.now + 10s);
    CHECK(waiting->buffered_bytes() < 1024);
    waiting->on_timer(waiting.now + 10s);
    CHECK(waiting.phase() == Phase::closing);
    CHECK(waiting->cause().code == Errc::timeout);
    CHECK(waiting->next_timer() == kNever);
    pair.exchange();
    CHECK(waiting->peer() == nullptr);
  }
}

TEST_CASE("H25: a muxer that is proposed and never answered ends the connection") {
  auto dialer = ConnectionPair::options(1, Role::initiator);
  dialer.early_muxer = false;
  ConnectionPair pair(dialer, ConnectionPair::options(2, Role::responder));
  pair.them.hear(pair.us.speak());
  pair.us.hear(pair.them.speak());
  CHECK(pair.us.phase() == Phase::up);
  const StreamId id = *pair.us.streams().open(kEcho, pair.us.now + 60s);
  pair.us->on_timer(pair.us.now + 10s);
  pair.us.poll();
  CHECK(pair.us->cause().code == Errc::timeout);
  CHECK(pair.us.only<OpenFailed>().key.stream == id);
}

TEST_CASE("connection: bytes after the end change nothing") {
  ConnectionPair pair;
  pair.exchange();
  pair.us->close({Errc::closed, "enough"});
  pair.us.hear(as_bytes("whatever comes"));
  CHECK(pair.us->cause().detail == "enough");
  pair.us->close({Errc::io, "again"});
  CHECK(pair.us->cause().detail == "enough");
}

TEST_CASE("connection: closing says goodbye, and every stream dies with the cause") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.us->close({Errc::closed, "enough"});
  CHECK(pair.us.phase() == Phase::closing);
  pair.them.hear(pair.us.speak());
  CHECK(pair.us.phase() == Phase::gone);
  CHECK(pair.us.only<StreamReset>().key.stream == id);
  CHECK(pair.us.only<StreamReset>().cause.detail == "enough");
  pair.them.poll();
  CHECK(pair.them.phase() == Phase::closing);
  CHECK(pair.them->cause().code == Errc::closed);
  CHECK(pair.them.only<StreamReset>().key.stream == id);
}

TEST_CASE("connection: what came with the goodbye can still be read") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.them.streams().write(id, as_bytes("last words"));
  const Bytes words = pair.them.speak();
  pair.them->close({Errc::closed, {}});
  Bytes all = words;
  append(all, pair.them.speak());
  pair.us.hear(all);
  CHECK(std::holds_alternative<StreamReadable>(*pair.us->poll(pair.us.now)));
  CHECK(pair.us.read(id) == "last words");
  pair.us.poll();
  CHECK(pair.us.all<StreamReset>().size() == 1);
}

TEST_CASE("connection: garbage in any phase ends it with an error") {
  for (int flights = 0; flights < 5; ++flights) {
    ConnectionPair pair;
    for (int i = 0; i < flights; ++i) {
      (i % 2 == 0 ? pair.them : pair.us).hear((i % 2 == 0 ? pair.us : pair.them).speak());
    }
    pair.them.hear(Bytes(70'000, 0xff));
    CHECK(pair.them.phase() == Phase::closing);
  }
}

TEST_CASE("connection: the key log has the session's secrets, when asked for") {
  auto dialer = ConnectionPair::options(1, Role::initiator);
  dialer.keylog = true;
  ConnectionPair pair(dialer, ConnectionPair::options(2, Role::responder));
  pair.exchange();
  const auto line = pair.us->take_keylog();
  REQUIRE(line);
  CHECK(parse_keylog_line(*line));
  CHECK(!pair.us->take_keylog());
  CHECK(!pair.them->take_keylog());
}

TEST_CASE("connection: Noise messages are full while there is data, one for a turn otherwise") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  for (int i = 0; i < 10; ++i) pair.us.streams().write(id, as_bytes("small"));
  const Bytes small = pair.us.speak();
  CHECK(small.size() == 2 + small[0] * 256U + small[1]);
  pair.them.hear(small);
  pair.us.streams().write(id, Bytes(128 * 1024));
  const Bytes large = pair.us.speak();
  CHECK(large[0] * 256U + large[1] == kMostNoiseBody);
}

TEST_CASE("connection: behind bytes that are out only full messages follow") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.us.streams().write(id, as_bytes("out"));
  const std::size_t out = pair.us->take_output(pair.us.now).size();
  pair.us.streams().write(id, as_bytes("less"));
  CHECK(pair.us->take_output(pair.us.now).empty());
  pair.us.streams().write(id, Bytes(kMostNoisePlain));
  CHECK(pair.us->take_output(pair.us.now).size() == kNoisePrefixSize + kMostNoiseBody);
  pair.us->on_written(pair.us.now, out + kNoisePrefixSize + kMostNoiseBody);
  CHECK(!pair.us->take_output(pair.us.now).empty());
}

TEST_CASE("connection: an end does not wait for the bytes that are out") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.us.streams().write(id, as_bytes("out"));
  pair.us->take_output(pair.us.now);
  pair.us->close({Errc::closed, "enough"});
  CHECK(!pair.us->take_output(pair.us.now).empty());
}

TEST_CASE("H4: a peer that does not read stops its writers and is given up") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  std::size_t accepted = 0, out = 0;
  for (int turn = 0; turn < 100; ++turn) {
    accepted += pair.us.streams().write(id, Bytes(64 * 1024));
    out += pair.us->take_output(pair.us.now).size();
  }
  CHECK(out <= kWriteBudget);
  CHECK(accepted < kWriteBudget + 256 * 1024);
  CHECK(pair.us->buffered_bytes() < 256 * 1024);
  CHECK(pair.us->next_timer() <= pair.us.now + kWriteStall);
  pair.us->on_timer(pair.us.now + kWriteStall);
  CHECK(pair.us->cause().code == Errc::timeout);
}

TEST_CASE("H4: pings of a peer that does not read cost a bounded answer") {
  ConnectionPair pair;
  pair.exchange();
  std::size_t out = 0;
  for (int i = 0; i < 100'000 && pair.them.phase() == Phase::up; ++i) {
    pair.us.streams().reset(pair.us.streams().open(kEcho, pair.us.now + 10s).value_or(0), 0);
    pair.them.hear(pair.us.speak());
    pair.them.poll();
    out += pair.them->take_output(pair.them.now).size();
  }
  CHECK(out <= kWriteBudget);
  CHECK(pair.them->buffered_bytes() < 1 << 20);
}

TEST_CASE("H8: a pipe that counts more bytes as written than it was given changes nothing") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.us->on_written(pair.us.now, std::size_t{1} << 60);
  std::size_t out = 0;
  for (int turn = 0; turn < 100; ++turn) {
    pair.us.streams().write(id, Bytes(64 * 1024));
    out += pair.us->take_output(pair.us.now).size();
  }
  CHECK(out > kWriteBudget / 2);
  CHECK(out <= kWriteBudget);
}

TEST_CASE("connection: a pipe that takes bytes slowly is not a stalled one") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.us.streams().write(id, Bytes(64 * 1024));
  pair.us->take_output(pair.us.now);
  for (int i = 0; i < 10; ++i) {
    pair.pass(kWriteStall - 1s);
    pair.us->on_written(pair.us.now, 1000);
    CHECK(pair.us->next_timer() != pair.us.now);
  }
  pair.us->on_timer(pair.us.now + 1s);
  CHECK(pair.us.phase() == Phase::up);
}

TEST_CASE("connection: bytes have their time from when they left, however long it was quiet") {
  ConnectionPair pair;
  pair.exchange();
  const StreamId id = pair.agreed_stream();
  pair.pass(kWriteStall - 1s);
  pair.us.streams().write(id, as_bytes("after a silence"));
  CHECK(!pair.us->take_output(pair.us.now).empty());
  pair.us->on_timer(pair.us.now + 2s);
  CHECK(pair.us.phase() == Phase::up);
}

}  // namespace kadmesh
