#include "transport/yamux.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/yamux_fixture.h"

namespace kadmesh {
namespace {

using Session = YamuxSession;
using namespace yamux_flag;

YamuxHeader window_update(std::uint16_t flags, StreamId id, std::uint32_t length = 0) {
  return {YamuxType::window_update, flags, id, length};
}

}  // namespace

TEST_CASE("yamux: a stream carries bytes both ways and ends when both sides have finished") {
  YamuxPair pair;
  const StreamId id = *pair.us.open();
  CHECK(pair.us.write(id, as_bytes("question")) == 8);
  pair.us.finish(id);
  pair.exchange();
  CHECK(poll_all(pair.them) == YamuxEvents{Session::Opened{id}, Session::Readable{id}});
  CHECK(pair.they_read(id) == "question");
  CHECK(poll_all(pair.them) == YamuxEvents{Session::Finished{id}});
  pair.them.write(id, as_bytes("answer"));
  pair.them.finish(id);
  pair.exchange();
  CHECK(as_text(pair.us.readable(id)) == "answer");
  pair.us.consumed(pair.now, id, 6);
  CHECK(poll_all(pair.us) == YamuxEvents{Session::Finished{id}});
  CHECK(quiescent(pair.us));
  CHECK(quiescent(pair.them));
}

TEST_CASE("yamux: the initiator opens odd ids, the responder even ones") {
  YamuxPair pair;
  CHECK(pair.us.open() == 1);
  CHECK(pair.us.open() == 3);
  CHECK(pair.them.open() == 2);
  CHECK(pair.them.open() == 4);
}

TEST_CASE("yamux: a stream is announced before its data, and FIN follows both") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  peer.session.write(id, as_bytes("hi"));
  peer.session.finish(id);
  CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(kSyn, id),
                                                 {YamuxType::data, 0, id, 2},
                                                 window_update(kFin, id)});
}

TEST_CASE("yamux: what is read before lent bytes go is never copied, the rest is kept") {
  YamuxScript peer;
  CHECK(peer.opens(1).has_value());
  Bytes frame;
  append(frame, encode({YamuxType::data, 0, 1, 11}));
  append(frame, as_bytes("hello world"));
  CHECK(peer.session.lend(peer.now, frame).has_value());
  CHECK(peer.session.readable(1).data() == frame.data() + kYamuxHeaderSize);
  peer.session.consumed(peer.now, 1, 6);
  peer.session.keep();
  frame.assign(frame.size(), 0);
  CHECK(peer.reads(1) == "world");
}

TEST_CASE("yamux: two streams' bodies in one lent piece both stay, and so does a stream's second") {
  YamuxScript peer;
  for (const StreamId id : {1U, 3U}) CHECK(peer.opens(id).has_value());
  Bytes frames;
  for (const StreamId id : {1U, 3U, 1U}) {
    append(frames, encode({YamuxType::data, 0, id, 2}));
    append(frames, as_bytes("ab"));
  }
  CHECK(peer.session.lend(peer.now, frames).has_value());
  peer.session.keep();
  frames.assign(frames.size(), 0);
  CHECK(peer.reads(1) == "abab");
  CHECK(peer.reads(3) == "ab");
}

TEST_CASE("yamux: a stream that is reset while its bytes are lent leaves nothing behind") {
  YamuxScript peer;
  CHECK(peer.opens(1).has_value());
  Bytes frame;
  append(frame, encode({YamuxType::data, 0, 1, 2}));
  append(frame, as_bytes("ab"));
  CHECK(peer.session.lend(peer.now, frame).has_value());
  peer.session.reset(1, 0);
  peer.session.keep();
  CHECK(peer.session.bytes_received() == 0);
  CHECK(peer.session.streams() == 0);
}

TEST_CASE("yamux: what is written and leaves before lent bytes go is not kept, the rest is") {
  YamuxPair pair;
  const StreamId id = pair.stream();
  Bytes first = to_bytes(as_bytes("hello "));
  CHECK(pair.us.write_lent(id, first) == 6);
  CHECK(pair.us.write_lent(id, as_bytes("world")) == 5);
  Bytes out;
  pair.us.take_output(out, kYamuxHeaderSize + 4);
  pair.us.keep_written();
  first.assign(first.size(), 0);
  CHECK(pair.them.on_bytes(pair.now, out).has_value());
  pair.exchange();
  CHECK(pair.they_read(id) == "hello world");
}

TEST_CASE("yamux: a stream that is reset while what it wrote is lent leaves nothing behind") {
  YamuxPair pair;
  const StreamId id = pair.stream();
  CHECK(pair.us.write_lent(id, as_bytes("ab")) == 2);
  pair.us.reset(id, 0);
  pair.us.keep_written();
  CHECK(pair.us.bytes_queued() == 0);
}

TEST_CASE("yamux: few streams are announced before the peer has been heard, the others then") {
  YamuxScript peer(silent(), Role::initiator);
  StreamId last = 0;
  for (int i = 0; i < 10; ++i) last = *peer.session.open();
  peer.session.write(last, as_bytes("hi"));
  peer.session.finish(last);
  CHECK(peer.hears().size() == silent().max_early);
  CHECK(!peer.session.wants_output());
  peer.pings(7);
  const auto heard = peer.hears();
  CHECK(std::ranges::count(heard, window_update(kSyn, last)) == 1);
  CHECK(std::ranges::count(heard, YamuxHeader{YamuxType::data, 0, last, 2}) == 1);
  CHECK(heard.back() == window_update(kFin, last));
}

TEST_CASE("yamux: a stream is acknowledged at once, before the owner polls") {
  YamuxScript peer;
  peer.opens(1);
  CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(kAck, 1)});
}

TEST_CASE("yamux: a stream may begin with data, or with data and its end") {
  YamuxScript peer;
  peer.writes(1, as_bytes("all of it"), kSyn | kFin);
  CHECK(peer.events() == YamuxEvents{Session::Opened{1}, Session::Readable{1}});
  CHECK(peer.reads(1) == "all of it");
  CHECK(peer.events() == YamuxEvents{Session::Finished{1}});
}

TEST_CASE("yamux: FIN is understood on an empty data frame as well") {
  YamuxScript peer;
  peer.opens(1);
  peer.writes(1, {}, kFin);
  CHECK(has(peer.events(), Session::Finished{1}));
}

TEST_CASE("yamux: frames may come in any pieces") {
  YamuxPair pair;
  const StreamId id = *pair.us.open();
  pair.us.write(id, as_bytes("piecemeal"));
  pair.us.finish(id);
  Bytes bytes;
  pair.us.take_output(bytes, 1000);
  YamuxScript peer;
  for (const std::uint8_t byte : bytes) REQUIRE(peer.sends_bytes({&byte, 1}).has_value());
  CHECK(peer.reads(id) == "piecemeal");
  CHECK(has(peer.events(), Session::Finished{id}));
}

TEST_CASE("yamux: Readable is not repeated while it has not been polled") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.writes(1, as_bytes("a"));
  peer.writes(1, as_bytes("b"));
  CHECK(peer.events() == YamuxEvents{Session::Readable{1}});
  CHECK(peer.events().empty());
  peer.writes(1, as_bytes("c"));
  CHECK(peer.events() == YamuxEvents{Session::Readable{1}});
  CHECK(peer.reads(1) == "abc");
}

TEST_CASE("yamux: a write is accepted as far as the peer's credit goes") {
  YamuxConfig config = silent();
  config.send_queue = 1 << 20;
  YamuxScript peer(config, Role::initiator);
  const StreamId id = *peer.session.open();
  const Bytes much(kYamuxInitialWindow + 1);
  CHECK(peer.session.budget(id) == kYamuxInitialWindow);
  CHECK(peer.session.write(id, much) == kYamuxInitialWindow);
  peer.hears();
  CHECK(peer.events().empty());
  peer.grants(id, 1000);
  CHECK(peer.events() == YamuxEvents{Session::Writable{id}});
  CHECK(peer.session.write(id, much) == 1000);
}

TEST_CASE("yamux: a write is accepted as far as the stream's queue goes, and Writable comes once") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  const std::size_t most = YamuxConfig().send_queue;
  CHECK(peer.session.write(id, Bytes(most + 1)) == most);
  CHECK(peer.session.write(id, as_bytes("x")) == 0);
  CHECK(peer.events().empty());
  peer.hears(65'519);
  CHECK(peer.events().empty());
  peer.hears(65'519);
  CHECK(peer.events() == YamuxEvents{Session::Writable{id}});
  peer.hears();
  CHECK(peer.events().empty());
}

TEST_CASE("yamux: streams short of send memory are served in the order in which they fell short") {
  YamuxConfig config = silent();
  config.send_memory = 1000;
  YamuxScript peer(config, Role::initiator);
  const StreamId greedy = *peer.session.open();
  const StreamId second = *peer.session.open();
  const StreamId third = *peer.session.open();
  CHECK(peer.session.write(greedy, Bytes(5000)) == 1000);
  CHECK(peer.session.write(third, Bytes(10)) == 0);
  CHECK(peer.session.write(second, Bytes(10)) == 0);
  peer.hears();
  CHECK(peer.events() == YamuxEvents{Session::Writable{greedy}, Session::Writable{third},
                                     Session::Writable{second}});
  CHECK(peer.session.write(third, Bytes(10)) == 10);
}

TEST_CASE("yamux: while others wait for send memory nobody overtakes them") {
  YamuxConfig config = silent();
  config.send_memory = 1000;
  YamuxScript peer(config, Role::initiator);
  const StreamId greedy = *peer.session.open();
  const StreamId patient = *peer.session.open();
  peer.hears();
  peer.session.write(greedy, Bytes(1000));
  peer.session.write(patient, Bytes(10));
  peer.hears(400);
  CHECK(peer.session.bytes_queued() < 1000);  // some memory is free again, less than half
  CHECK(peer.session.write(greedy, Bytes(10)) == 0);
  peer.hears();
  CHECK(peer.events().front() == Session::Event(Session::Writable{patient}));
}

TEST_CASE("yamux: a reset of the stream that holds the send memory frees it for the others") {
  YamuxConfig config = silent();
  config.send_memory = 1000;
  YamuxScript peer(config, Role::initiator);
  const StreamId greedy = *peer.session.open();
  const StreamId patient = *peer.session.open();
  peer.session.write(greedy, Bytes(1000));
  peer.session.write(patient, Bytes(10));
  peer.session.reset(greedy, 0);
  CHECK(peer.events() == YamuxEvents{Session::Writable{patient}});
}

TEST_CASE("yamux: credit returns only when bytes are consumed") {
  YamuxScript peer;
  peer.opens(1);
  peer.writes(1, Bytes(kYamuxInitialWindow));
  peer.hears();
  CHECK(!peer.session.wants_output());
  peer.now += 1s;
  peer.session.consumed(peer.now, 1, kYamuxInitialWindow / 2 - 1);
  CHECK(!peer.session.wants_output());
  peer.session.consumed(peer.now, 1, 1);
  CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(0, 1, kYamuxInitialWindow / 2)});
}

TEST_CASE("yamux: no credit for a half that is complete") {
  YamuxScript peer;
  peer.writes(1, Bytes(kYamuxInitialWindow), kSyn | kFin);
  peer.hears();
  peer.session.consumed(peer.now, 1, kYamuxInitialWindow);
  CHECK(!peer.session.wants_output());
}

TEST_CASE("yamux: credit that is owed when the half completes, or its owner leaves, is not sent") {
  for (const bool by_us : {true, false}) {
    YamuxScript peer;
    peer.writes(1, Bytes(kYamuxInitialWindow), kSyn);
    peer.events();
    peer.hears();
    peer.session.consumed(peer.now, 1, kYamuxInitialWindow);
    if (by_us) {
      peer.session.finish(1);
      peer.session.release(1);
      CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(kFin, 1)});
    } else {
      peer.finishes(1);
      CHECK(peer.hears().empty());
    }
  }
}

TEST_CASE("yamux: a busy stream's window grows, and gives its growth back at its end") {
  YamuxConfig config = silent();
  config.window_growth = kYamuxInitialWindow;
  YamuxScript peer(config);
  const auto half = Bytes(kYamuxInitialWindow / 2);
  for (const StreamId id : {1u, 3u}) {
    peer.opens(id);
    peer.writes(id, half);
    peer.hears();
    peer.session.consumed(peer.now, id, half.size());
    const auto grown = std::uint32_t{kYamuxInitialWindow / 2 + kYamuxInitialWindow};
    CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(0, id, grown)});
    peer.session.reset(id, 0);
  }
}

TEST_CASE("yamux: a reset tells its code and drops what waits to be sent") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.session.write(1, Bytes(1000));
  peer.resets(1, 0x1002);
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0x1002}});
  CHECK(peer.hears().empty());
  CHECK(quiescent(peer.session));
}

TEST_CASE("yamux: a stream that was reset is not offered room") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  peer.session.write(id, Bytes(200'000));
  peer.hears();  // Writable is owed now
  peer.resets(id);
  CHECK(peer.events() == YamuxEvents{Session::Reset{id, 0}});
}

TEST_CASE("yamux: what came before a reset can be read until Reset has been polled") {
  YamuxScript peer;
  peer.opens(1);
  CHECK(peer.session.poll() == Session::Event(Session::Opened{1}));
  peer.writes(1, as_bytes("last words"));
  peer.resets(1);
  CHECK(peer.session.poll() == Session::Event(Session::Readable{1}));
  CHECK(peer.reads(1) == "last words");
  CHECK(peer.session.poll() == Session::Event(Session::Reset{1, 0}));
  CHECK(peer.reads(1) == "");
}

TEST_CASE("yamux: a complete half outlives a reset until it has been read") {
  YamuxScript peer;
  peer.writes(1, as_bytes("answer"), kSyn | kFin);
  peer.resets(1, 7);
  CHECK(peer.events() == YamuxEvents{Session::Opened{1}, Session::Readable{1}});
  CHECK(peer.session.write(1, as_bytes("x")) == 0);
  CHECK(peer.reads(1) == "answer");
  CHECK(peer.events() == YamuxEvents{Session::Finished{1}, Session::Reset{1, 7}});
  CHECK(quiescent(peer.session));
}

TEST_CASE("yamux: a reset after both sides have finished says nothing") {
  YamuxScript peer;
  peer.writes(1, as_bytes("x"), kSyn | kFin);
  peer.session.finish(1);
  peer.hears();
  peer.resets(1);
  CHECK(peer.events() == YamuxEvents{Session::Opened{1}, Session::Readable{1}});
  CHECK(peer.reads(1) == "x");
  CHECK(peer.events() == YamuxEvents{Session::Finished{1}});
}

TEST_CASE("yamux: a stream that is opened and reset before anybody looked leaves nothing") {
  YamuxScript peer;
  peer.opens(1);
  peer.writes(1, as_bytes("never mind"));
  peer.resets(1);
  CHECK(peer.events().empty());
  CHECK(quiescent(peer.session));
}

TEST_CASE("yamux: our reset leaves at once; late frames are drained") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.hears();
  peer.session.write(1, as_bytes("unsaid"));
  peer.session.reset(1, 0x1004);
  CHECK(quiescent(peer.session));
  CHECK(peer.hears() == std::vector<YamuxHeader>{window_update(kRst, 1, 0x1004)});
  CHECK(peer.writes(1, Bytes(5000)).has_value());
  CHECK(peer.grants(1, 5000).has_value());
  CHECK(peer.finishes(1).has_value());
  CHECK(peer.resets(1).has_value());
  CHECK(peer.events().empty());
  CHECK(peer.hears().empty());
  CHECK(quiescent(peer.session));
}

TEST_CASE("yamux: a stream that is reset in the middle of a body takes no more of it") {
  YamuxScript peer;
  peer.opens(1);
  peer.sends({YamuxType::data, 0, 1, 100}, Bytes(40));
  peer.session.reset(1, 0);
  peer.sends_bytes(Bytes(60));
  CHECK(quiescent(peer.session));
  CHECK(peer.pings(1).has_value());
}

TEST_CASE("yamux: a stream that was never announced is reset without a word") {
  YamuxScript peer(silent(), Role::initiator);
  peer.session.reset(*peer.session.open(), 0);
  CHECK(peer.hears().empty());
}

TEST_CASE("yamux: a released stream sends what was finished and drains the rest") {
  YamuxPair pair;
  const StreamId id = pair.stream();
  pair.us.write(id, as_bytes("bye"));
  pair.us.finish(id);
  pair.us.release(id);
  pair.exchange();
  CHECK(pair.us.streams() == 0);
  CHECK(pair.they_read(id) == "bye");
  pair.them.write(id, Bytes(1000));
  pair.exchange();
  CHECK(!pair.us.closed());
  CHECK(poll_all(pair.us).empty());
  CHECK(quiescent(pair.us));
}

TEST_CASE("yamux: a released stream that was not finished is reset") {
  YamuxPair pair;
  const StreamId id = pair.stream();
  pair.us.release(id);
  pair.exchange();
  CHECK(quiescent(pair.us));
  CHECK(poll_all(pair.them) == YamuxEvents{Session::Reset{id, 0}});
}

TEST_CASE("yamux: one busy stream fills a Noise message with one frame") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  peer.hears();
  peer.session.write(id, Bytes(100'000));
  Bytes out;
  CHECK(peer.session.take_output(out, 65'519) == 65'519);
  CHECK(decode_yamux_header(ByteView(out).first<kYamuxHeaderSize>())->length == 65'507);
}

TEST_CASE("yamux: busy streams take turns of 16 KiB") {
  YamuxScript peer(silent(), Role::initiator);
  for (int i = 0; i < 3; ++i) peer.session.write(*peer.session.open(), Bytes(100'000));
  peer.hears(3 * kYamuxHeaderSize);
  std::vector<StreamId> turns;
  for (const auto& frame : peer.hears(65'519)) {
    turns.push_back(frame.stream);
    CHECK(frame.length <= 16 * 1024);
    CHECK(frame.length >= 65'519 - 3 * (16 * 1024 + kYamuxHeaderSize) - kYamuxHeaderSize);
  }
  CHECK(turns == std::vector<StreamId>{1, 3, 5, 1});
}

TEST_CASE("yamux: no sliver of data at the end of an output") {
  YamuxScript peer(silent(), Role::initiator);
  peer.session.write(*peer.session.open(), Bytes(5000));
  CHECK(peer.hears(500).size() == 1);
  CHECK(peer.hears(500).size() == 1);
  peer.session.write(*peer.session.open(), Bytes(50'000));
  Bytes out;
  const std::size_t before_the_sliver = kYamuxHeaderSize + kYamuxHeaderSize + 5000 - 488;
  CHECK(peer.session.take_output(out, before_the_sliver + 500) == before_the_sliver);
}

TEST_CASE("yamux: control goes before data that was written earlier") {
  YamuxScript peer(silent(), Role::initiator);
  const StreamId id = *peer.session.open();
  peer.session.write(id, Bytes(100));
  peer.pings(9);
  const auto frames = peer.hears();
  CHECK(frames.front() == YamuxHeader{YamuxType::ping, kAck, 0, 9});
  CHECK(frames.back().type == YamuxType::data);
}

TEST_CASE("yamux: output never exceeds its limit, whatever the limit") {
  for (std::size_t limit = 0; limit < 100; ++limit) {
    YamuxScript peer(silent(), Role::initiator);
    peer.session.write(*peer.session.open(), Bytes(1000));
    peer.pings(1);
    Bytes out(3);
    const std::size_t taken = peer.session.take_output(out, limit);
    CHECK(taken <= limit);
    CHECK(out.size() == taken + 3);
  }
}

TEST_CASE("yamux: at most 256 streams of ours wait for their acknowledgement") {
  YamuxScript peer(silent(), Role::initiator);
  for (int i = 0; i < 256; ++i) REQUIRE(peer.session.open().has_value());
  CHECK(peer.session.open() == fail(Errc::limit));
  peer.sends(window_update(kAck, 1));
  peer.sends(window_update(kAck, 1));
  CHECK(peer.session.open().has_value());
  CHECK(peer.session.open() == fail(Errc::limit));
}

TEST_CASE("yamux: at most 400 streams are ours, and 512 in all") {
  YamuxScript peer(silent(), Role::initiator);
  const auto open_acked = [&] {
    const auto id = peer.session.open();
    if (id.has_value()) peer.sends(window_update(kAck, *id));
    return id.has_value();
  };
  for (int i = 0; i < 400; ++i) REQUIRE(open_acked());
  CHECK(!open_acked());
  for (StreamId id = 2; id <= 2 * 112; id += 2) peer.opens(id);
  CHECK(peer.session.streams() == 512);
  peer.session.reset(1, 0);
  CHECK(open_acked());
  peer.session.reset(3, 0);
  peer.opens(1000);
  CHECK(!open_acked());
}

TEST_CASE("yamux: ids are used up, not used again") {
  YamuxPair pair;
  const StreamId id = pair.stream();
  pair.us.reset(id, 0);
  CHECK(*pair.us.open() > id);
}

TEST_CASE("yamux: a session pings at once, measures, and answers pings") {
  YamuxPair pair(YamuxConfig{});
  pair.carry(pair.us, pair.them);
  pair.now += 80ms;
  pair.exchange();
  CHECK(pair.us.rtt() == 80ms);
  const Time next = pair.us.next_timer();
  CHECK(next >= pair.now + 30s);
  CHECK(next <= pair.now + 30s + YamuxKeepalive::kTick);
  pair.now = next;
  pair.us.on_timer(pair.now);
  CHECK(pair.us.wants_output());
  pair.exchange();
  CHECK(pair.us.next_timer() == pair.now + 30s);
}

TEST_CASE("yamux: of two that are quiet one asks, and the other need not") {
  YamuxPair pair(YamuxConfig{});
  pair.exchange();
  int asked = 0, answered = 0;
  for (int i = 0; i < 5; ++i) {
    pair.now = std::min(pair.us.next_timer(), pair.them.next_timer());
    pair.us.on_timer(pair.now);
    asked += pair.us.wants_output();
    pair.them.on_timer(pair.now);
    answered += pair.them.wants_output();
    pair.exchange();
  }
  CHECK(asked >= 2);
  CHECK(answered == 0);
}

TEST_CASE("yamux: a session whose peer is silent ends, and says why") {
  YamuxScript peer(YamuxConfig{});
  peer.opens(1);
  peer.events();
  peer.now += 20s;
  CHECK(peer.session.next_timer() == peer.now);
  peer.session.on_timer(peer.now);
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0}, Session::Closed{{Errc::timeout, {}}}});
  CHECK(peer.session.next_timer() == kNever);
}

TEST_CASE("yamux: a GoAway ends everything, after what came before it") {
  YamuxScript peer;
  peer.writes(1, as_bytes("first"), kSyn);
  peer.sends({YamuxType::go_away, 0, 0, 0});
  CHECK(peer.session.closed());
  CHECK(peer.session.poll() == Session::Event(Session::Opened{1}));
  CHECK(peer.session.poll() == Session::Event(Session::Readable{1}));
  CHECK(peer.reads(1) == "first");
  CHECK(peer.session.write(1, as_bytes("x")) == 0);
  CHECK(peer.session.open() == fail(Errc::closed));
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0}, Session::Closed{{Errc::closed, {}}}});
  CHECK(!peer.session.wants_output());
  CHECK(quiescent(peer.session));
}

TEST_CASE("yamux: a GoAway with a reason is told as such") {
  YamuxScript peer;
  peer.opens(1);
  peer.events();
  peer.sends({YamuxType::go_away, 0, 0, 0x1003});
  CHECK(peer.events() ==
        YamuxEvents{Session::Reset{1, 0x1003}, Session::Closed{{Errc::reset, {}}}});
}

TEST_CASE("yamux: our GoAway is the last frame, and ends our streams at once") {
  YamuxScript peer;
  peer.opens(1);
  peer.opens(3);
  peer.events();
  peer.session.write(3, as_bytes("unsaid"));
  peer.session.go_away(yamux_reason::kNormal);
  CHECK(peer.hears() == std::vector<YamuxHeader>{{YamuxType::go_away, 0, 0, 0}});
  CHECK(peer.events() == YamuxEvents{Session::Reset{1, 0}, Session::Reset{3, 0},
                                     Session::Closed{{Errc::closed, {}}}});
  CHECK(quiescent(peer.session));
  CHECK(peer.pings(1).has_value());
  CHECK(!peer.session.wants_output());
}

TEST_CASE("yamux: calls with a stream that is gone do nothing") {
  YamuxScript peer;
  peer.session.finish(1);
  peer.session.reset(1, 0);
  peer.session.release(1);
  peer.session.consumed(peer.now, 1, 10);
  CHECK(peer.session.write(1, as_bytes("x")) == 0);
  CHECK(peer.session.budget(1) == 0);
  CHECK(peer.session.readable(1).empty());
  CHECK(!peer.session.wants_output());
}

}  // namespace kadmesh
