// What has broken other Yamux implementations, and what a peer may not make ours do.
#include <doctest/doctest.h>

#include <limits>

#include "transport/stream_code.h"
#include "transport/yamux.h"
#include "transport/yamux_fixture.h"

namespace kadmesh {
namespace {

using Session = YamuxSession;
using namespace yamux_flag;

constexpr std::uint32_t kMost32 = std::numeric_limits<std::uint32_t>::max();

// The session has ended for a breach: it says GoAway(1), and nothing else, and tells its owner.
void check_breach(YamuxScript& peer, const Result<void>& result) {
  CHECK(result == fail(Errc::protocol));
  CHECK(peer.hears() ==
        std::vector<YamuxHeader>{{YamuxType::go_away, 0, 0, yamux_reason::kProtocol}});
  const auto events = peer.events();
  REQUIRE(!events.empty());
  CHECK(events.back() == Session::Event(Session::Closed{{Errc::protocol, {}}}));
  CHECK(quiescent(peer.session));
}

std::size_t count_flag(const std::vector<YamuxHeader>& frames, std::uint16_t flag) {
  std::size_t count = 0;
  for (const auto& frame : frames) count += std::size_t{frame.has(flag)};
  return count;
}

}  // namespace

TEST_CASE("H1: credit that overflows 32 bits ends the session") {
  YamuxScript peer;
  peer.opens(1);
  CHECK(peer.grants(1, kMost32 - kYamuxInitialWindow).has_value());
  check_breach(peer, peer.grants(1, 1));
}

TEST_CASE("H1: credit that overflows in the very frame that opens a stream makes no stream") {
  YamuxScript peer;
  const YamuxHeader open{YamuxType::window_update, kSyn, 1, kMost32 - kYamuxInitialWindow + 1};
  const auto result = peer.sends(open);
  CHECK(peer.session.streams() == 0);
  check_breach(peer, result);
}

TEST_CASE("H2: a stream may not open with more data than the initial window") {
  YamuxScript peer;
  const auto result = peer.sends({YamuxType::data, kSyn, 1, kYamuxInitialWindow + 1});
  CHECK(peer.session.streams() == 0);
  check_breach(peer, result);
}

TEST_CASE("H2: it may open with exactly the initial window") {
  YamuxScript peer;
  CHECK(peer.writes(1, Bytes(kYamuxInitialWindow), kSyn).has_value());
  CHECK(peer.session.bytes_received() == kYamuxInitialWindow);
}

TEST_CASE("H3: a header that claims 4 GiB is refused before any of it comes") {
  for (const StreamId id : {1u, 99u}) {  // known and unknown
    YamuxScript peer;
    peer.opens(1);
    peer.hears();
    check_breach(peer, peer.sends({YamuxType::data, 0, id, kMost32}));
  }
}

TEST_CASE("H3: a header that claims more than the window is refused before any of it comes") {
  YamuxScript peer;
  peer.opens(1);
  peer.writes(1, Bytes(1));
  peer.hears();
  check_breach(peer, peer.sends({YamuxType::data, 0, 1, kYamuxInitialWindow}));
}

TEST_CASE("H3: a body takes memory only as it arrives") {
  YamuxScript peer;
  peer.opens(1);
  peer.sends({YamuxType::data, 0, 1, kYamuxInitialWindow}, Bytes(10));
  CHECK(peer.session.bytes_received() == 10);
}

TEST_CASE("H3: a body that is withheld ends the session at its deadline, however it trickles") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.sends({YamuxType::data, 0, 1, 1000});
  const Time deadline = peer.now + YamuxConfig().frame_timeout;
  while (peer.now + 1s < deadline) {
    peer.now += 1s;
    REQUIRE(peer.sends_bytes(Bytes(1)).has_value());
    REQUIRE(peer.session.next_timer() == deadline);
  }
  peer.session.on_timer(deadline);
  CHECK(has(peer.events(), Session::Closed{{Errc::timeout, {}}}));
}

TEST_CASE("H3: half a header is held to the same deadline, a complete frame to none") {
  YamuxScript peer;
  peer.sends_bytes(Bytes(4));
  const Time deadline = peer.now + YamuxConfig().frame_timeout;
  CHECK(peer.session.next_timer() == deadline);
  peer.now += 1s;
  peer.sends_bytes(Bytes(1));
  CHECK(peer.session.next_timer() == deadline);
  peer.sends_bytes(Bytes{0, 0, 3, 0, 0, 0, 0});  // the rest of a data header for stream 3 << 16
  CHECK(peer.session.next_timer() == kNever);
}

TEST_CASE("H4: a peer that asks and never reads makes us hold no more than the bounds") {
  YamuxScript peer;
  for (StreamId id = 1; id < 40'001; id += 2) {
    peer.opens(id);
    peer.pings(id);
  }
  CHECK(peer.hears().size() <= kYamuxMostPongs + kYamuxMostResets + YamuxConfig().max_streams);
}

TEST_CASE("H4: reading must pause while what is owed is not taken") {
  YamuxScript peer;
  CHECK(peer.session.wants_input());
  for (std::uint32_t i = 0; i < kYamuxMostPongs; ++i) peer.pings(i);
  CHECK(!peer.session.wants_input());
  peer.hears();
  CHECK(peer.session.wants_input());
}

TEST_CASE("H4: a peer that never reads is given up at the ping's deadline") {
  YamuxScript peer(YamuxConfig{});
  peer.opens(1);
  peer.events();
  peer.session.write(1, Bytes(100'000));
  peer.now = peer.session.next_timer();
  peer.session.on_timer(peer.now);
  CHECK(peer.session.closed());
  peer.events();
  CHECK(quiescent(peer.session));
}

TEST_CASE("H5: of a flood of pings 32 are answered") {
  YamuxScript peer;
  for (std::uint32_t i = 0; i < 10'000; ++i) REQUIRE(peer.pings(i).has_value());
  const auto pongs = peer.hears();
  REQUIRE(pongs.size() == kYamuxMostPongs);
  CHECK(pongs.front() == YamuxHeader{YamuxType::ping, kAck, 0, 0});
  CHECK(pongs.back() == YamuxHeader{YamuxType::ping, kAck, 0, 31});
}

TEST_CASE("H6: of a flood of streams 256 wait to be accepted, the others are reset") {
  YamuxScript peer;
  for (StreamId id = 1; id < 601; id += 2) REQUIRE(peer.opens(id).has_value());
  const auto frames = peer.hears();
  CHECK(count_flag(frames, kAck) == 256);
  CHECK(count_flag(frames, kRst) == 44);
  CHECK(count_of<Session::Opened>(peer.events()) == 256);
}

TEST_CASE("H6: of streams that are accepted and kept 512 live, the others are reset") {
  YamuxScript peer;
  for (StreamId id = 1; id < 1201; id += 2) {
    REQUIRE(peer.opens(id).has_value());
    peer.events();
  }
  CHECK(peer.session.streams() == 512);
  CHECK(count_flag(peer.hears(), kRst) == 88);
}

TEST_CASE("H6: data of a refused stream is drained, and the session lives") {
  YamuxConfig config = silent();
  config.max_unaccepted = 1;
  YamuxScript peer(config);
  peer.opens(1);
  CHECK(peer.writes(3, Bytes(5000), kSyn).has_value());
  CHECK(peer.writes(3, Bytes(5000)).has_value());
  CHECK(peer.session.bytes_received() == 0);
  CHECK(peer.events() == YamuxEvents{Session::Opened{1}});
}

TEST_CASE("H10: go_away ends a session from any state, from inside its own events, and again") {
  for (std::size_t steps = 0; steps < 8; ++steps) {
    YamuxScript peer;
    peer.writes(1, as_bytes("x"), kSyn);
    peer.opens(3);
    peer.resets(3);
    peer.opens(5);
    peer.session.write(5, as_bytes("y"));
    peer.session.finish(5);
    if (steps % 2 == 1) peer.sends({YamuxType::go_away, 0, 0, 0});
    for (std::size_t i = 0; i < steps && peer.session.poll(); ++i) continue;
    peer.session.go_away(0);
    peer.session.go_away(0);
    peer.events();
    CHECK(peer.session.closed());
    CHECK(quiescent(peer.session));
    CHECK(peer.events().empty());
  }
}

TEST_CASE("H10: streams may be reset from inside any of their events") {
  YamuxScript peer;
  for (StreamId id = 1; id < 20; id += 2) peer.writes(id, as_bytes("x"), kSyn | kFin);
  while (const auto event = peer.session.poll())
    if (const auto* opened = std::get_if<Session::Opened>(&*event))
      peer.session.reset(opened->id, 0);
  CHECK(quiescent(peer.session));
}

TEST_CASE("H11: the send window keeps its whole range, with and without queued bytes") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  peer.session.write(id, Bytes(1000));  // still counts: the peer has not seen it
  CHECK(peer.grants(id, kMost32 - kYamuxInitialWindow).has_value());
  peer.hears();
  CHECK(peer.grants(id, 1000).has_value());
  peer.session.write(id, Bytes(7));
  check_breach(peer, peer.grants(id, 1));
}

TEST_CASE("H26: no length that a header can carry wraps a sum") {
  for (const std::uint32_t length :
       {kMost32, kMost32 - 1, kMost32 - 12, 0x80000000u, 0x7fffffffu}) {
    for (const std::uint16_t flags : {std::uint16_t{0}, kSyn, kFin, kRst}) {
      YamuxScript peer;
      peer.opens(1);
      peer.writes(1, as_bytes("x"));
      peer.hears();
      check_breach(peer, peer.sends({YamuxType::data, flags, 1, length}));
      YamuxScript other;
      other.sends({YamuxType::window_update, flags, 99, length});
      CHECK(other.session.bytes_received() == 0);
    }
  }
}

TEST_CASE("yamux: SYN with our parity ends the session") {
  YamuxScript peer;
  check_breach(peer, peer.opens(2));
}

TEST_CASE("yamux: SYN on a live stream ends the session") {
  YamuxScript peer;
  peer.opens(1);
  peer.hears();
  check_breach(peer, peer.opens(1));
}

TEST_CASE("yamux: SYN on a stream whose end was not polled yet is refused, no more") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.hears();
  peer.resets(1);
  CHECK(peer.opens(1).has_value());
  CHECK(count_flag(peer.hears(), kRst) == 1);
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0}});
}

TEST_CASE("yamux: a header that cannot be ends the session") {
  for (const char* hex : {"010000000000000100000000", "000400000000000100000000",
                          "000100010000000000000000", "000200010000000100000007"}) {
    YamuxScript peer;
    check_breach(peer, peer.sends_bytes(*from_hex(hex)));
  }
}

TEST_CASE("yamux: a pong that nobody asked for ends the session") {
  YamuxScript peer;
  check_breach(peer, peer.sends({YamuxType::ping, kAck, 0, 0}));
}

TEST_CASE("yamux: one body may use up the largest window, as js's do") {
  YamuxScript peer;
  peer.opens(1);
  for (std::uint32_t size = kYamuxInitialWindow; size < YamuxConfig().max_window; size *= 2) {
    REQUIRE(peer.writes(1, Bytes(size)).has_value());
    peer.session.consumed(peer.now, 1, size);
  }
  CHECK(peer.writes(1, Bytes(YamuxConfig().max_window)).has_value());
  CHECK(peer.session.readable(1).size() == YamuxConfig().max_window);
}

TEST_CASE("yamux: a body that no window could hold ends the session, whosever it is") {
  YamuxScript peer;
  CHECK(peer.sends({YamuxType::data, 0, 99, YamuxConfig().max_window}).has_value());
  YamuxScript other;
  check_breach(other, other.sends({YamuxType::data, 0, 99, YamuxConfig().max_window + 1}));
}

TEST_CASE("yamux: the deadline of a long body moves with every 64 KiB of it") {
  YamuxScript peer;
  peer.opens(1);
  peer.sends({YamuxType::data, 0, 1, kYamuxInitialWindow});
  for (int i = 0; i < 3; ++i) {
    peer.now += YamuxConfig().frame_timeout - 1s;
    REQUIRE(peer.sends_bytes(Bytes(kYamuxTimedPart)).has_value());
    CHECK(peer.session.next_timer() == peer.now + YamuxConfig().frame_timeout);
  }
}

TEST_CASE("yamux: data after FIN costs the stream") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.hears();
  peer.finishes(1);
  CHECK(peer.writes(1, as_bytes("x")).has_value());
  CHECK(peer.hears() == std::vector<YamuxHeader>{
                            {YamuxType::window_update, kRst, 1, stream_code::kProtocolViolation}});
  CHECK(peer.events() ==
        YamuxEvents{Session::Finished{1}, Session::Reset{1, stream_code::kProtocolViolation}});
}

TEST_CASE("yamux: data after both sides have finished is drained, the stream is read to its end") {
  YamuxScript peer;
  peer.writes(1, as_bytes("all"), kSyn | kFin);
  peer.session.finish(1);
  peer.hears();
  CHECK(peer.writes(1, as_bytes("more")).has_value());
  CHECK(peer.hears().empty());
  CHECK(peer.reads(1) == "all");
  CHECK(peer.events() == YamuxEvents{Session::Opened{1}, Session::Finished{1}});
}

TEST_CASE("yamux: the stream whose data exceeds the session's memory is reset, the others live") {
  YamuxConfig config = silent();
  config.receive_memory = 1000;
  YamuxScript peer(config);
  peer.opens(1);
  peer.opens(3);
  peer.events();
  peer.hears();
  peer.writes(1, Bytes(900));
  peer.writes(3, Bytes(101));
  CHECK(peer.hears() ==
        std::vector<YamuxHeader>{{YamuxType::window_update, kRst, 3, stream_code::kResourceLimit}});
  CHECK(peer.events() ==
        YamuxEvents{Session::Readable{1}, Session::Reset{3, stream_code::kResourceLimit}});
  CHECK(peer.session.bytes_received() == 900);
}

TEST_CASE("yamux: opening and resetting for ever costs nothing") {
  YamuxScript peer;
  for (StreamId id = 1; id < 100'001; id += 2) {
    peer.writes(id, as_bytes("x"), kSyn);
    peer.resets(id);
  }
  CHECK(quiescent(peer.session));
  CHECK(!peer.session.wants_output());
  CHECK(peer.opens(200'001).has_value());
  CHECK(peer.events() == YamuxEvents{Session::Opened{200'001}});
}

TEST_CASE("yamux: a data frame with RST is drained, its length is no code") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  CHECK(peer.writes(1, as_bytes("dropped"), kRst).has_value());
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0}});
  CHECK(peer.pings(1).has_value());
}

}  // namespace kadmesh
