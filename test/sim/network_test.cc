// One test for each property of a link.
#include "sim/network.h"

#include <algorithm>
#include <array>
#include <set>

#include "kad/subnet.h"
#include "wires.h"

namespace kadmesh {
namespace {

bool about(Duration value, Duration expected, Duration slack) {
  return value >= expected - slack && value <= expected + slack;
}

}  // namespace

// --- the handshake
TEST_CASE("handshake: the dialer knows after a round trip, the acceptor half a one later") {
  Wires w;
  const Time start = w.now();
  const auto dialer = w.connect(0, 1);
  CHECK(w.since(dialer, start) == 20ms);
  CHECK(w.since(dialer + 1, start) == 30ms);
  CHECK(w.sockets[dialer + 1].remote == w.sockets[dialer].local);
  CHECK(w.sockets[dialer + 1].local == w.network.address(1, Wires::kPort));
}

TEST_CASE("handshake: what the dialer writes at once comes right after the acceptor knows") {
  Wires w;
  const auto dialer = w.dial(0, 1);
  w.run(20ms);
  w.write(dialer, 5);
  w.run(10ms);
  CHECK(w.got(dialer + 1) == 5);
}

TEST_CASE("handshake: nobody listens there, nobody is there") {
  Wires w;
  w.network.stop_listening(1, Wires::kPort);
  const auto refused = w.dial(0, 1), nowhere = w.dial_to(0, ipv4(99, 0, 0, 1, 1));
  const Time start = w.now();
  w.run(1s);
  CHECK(w.sockets[refused].error == "refused");
  CHECK(w.since(refused, start) == 20ms);
  CHECK(w.sockets[nowhere].error == "refused");
  CHECK(w.network.live() == 0);
}

TEST_CASE("handshake: a lost SYN is sent again after 1, 3, 7 … seconds, seven times in all") {
  LinkConfig link = Wires::constant(10ms);
  link.syn_loss_ppm = 500'000;
  Wires w(link);
  std::set<Duration> seen;
  for (int i = 0; i < 200; ++i) {
    const Time start = w.now();
    const auto dialer = w.dial(0, 1);
    w.run(200s);
    if (w.state(dialer) == "open") seen.insert(w.since(dialer, start));
  }
  CHECK(seen == std::set<Duration>{20ms, 1020ms, 3020ms, 7020ms, 15'020ms, 31'020ms, 63'020ms});
}

TEST_CASE("handshake: silence is given up after 127 s") {
  Wires w;
  w.network.cut(0, 1);
  const Time start = w.now();
  const auto dialer = w.dial(0, 1);
  w.run(200s);
  CHECK(w.state(dialer) == "failed");
  CHECK(w.sockets[dialer].error == "timeout");
  CHECK(w.since(dialer, start) == 127s);
  CHECK(w.network.live() == 0);
}

TEST_CASE("handshake: answers that do not come back are silence, too") {
  Wires w;
  w.network.cut(1, 0);
  const Time start = w.now();
  const auto dialer = w.dial(0, 1);
  w.run(200s);
  CHECK(w.state(dialer) == "failed");
  CHECK(w.sockets[dialer].error == "timeout");
  CHECK(w.since(dialer, start) == 127s);
  CHECK(w.network.live() == 0);
}

TEST_CASE("handshake: a dial outlives a partition that is shorter than its patience") {
  Wires w;
  w.network.partition({{0}, {1}});
  const Time start = w.now();
  const auto dialer = w.dial(0, 1);
  w.run(5s);
  w.network.heal();
  w.run(5s);
  CHECK(w.state(dialer) == "open");
  CHECK(w.since(dialer, start) == 7020ms);
}

TEST_CASE("handshake: withdrawn at any moment it leaves nothing") {
  for (const Duration when : {0ms, 5ms, 10ms, 15ms, 20ms, 25ms, 30ms, 35ms}) {
    Wires w;
    const auto dialer = w.dial(0, 1);
    w.run(when);
    w.close(dialer, true);
    w.run(1s);
    CHECK(w.network.live() == 0);
    CHECK(w.network.connections(1) == 0);
  }
}

TEST_CASE("limits: a full host lets nobody in until somebody leaves, and cannot dial") {
  Wires w(Wires::constant(10ms), 2);
  const HostId small = w.add({.connections = 1});
  const auto first = w.connect(0, small);
  const auto second = w.dial(1, small);
  w.run(2s);
  CHECK(w.state(second) == "dialing");
  const auto own = w.dial(small, 1);
  w.run(1ms);
  CHECK(w.sockets[own].error == "limit");
  w.close(first);
  w.run(5s);
  CHECK(w.state(second) == "open");
}

// --- latency
TEST_CASE("latency: a pair keeps its own, the same both ways, whoever else is there") {
  LinkConfig link;
  link.latency = PairLatency{Uniform{10ms, 100ms}};
  Wires few(link, 5), many(link, 50);
  std::set<Duration> seen;
  for (HostId a = 0; a < 5; ++a)
    for (HostId b = 0; b < a; ++b) {
      CHECK(few.network.one_way(a, b) == few.network.one_way(b, a));
      CHECK(few.network.one_way(a, b) == many.network.one_way(a, b));
      seen.insert(few.network.one_way(a, b));
    }
  CHECK(seen.size() == 10);
}

TEST_CASE("latency: regions have a matrix, hosts a region by share or by name") {
  LinkConfig link;
  link.latency = RegionLatency{{{5ms, 80ms}, {80ms, 20ms}}, {3, 1}};
  Wires w(link, 400);
  std::size_t in_first = 0;
  for (HostId host = 0; host < 400; ++host) in_first += w.network.one_way(host, host) == 5ms;
  CHECK(in_first > 260);
  CHECK(in_first < 340);
  const HostId a = w.add({.region = 0}), b = w.add({.region = 1});
  CHECK(w.network.one_way(a, b) == 80ms);
  CHECK(w.network.one_way(b, b) == 20ms);
}

TEST_CASE("latency: a table of measured round trips, half of each") {
  const auto rtts = milliseconds_from_csv("0, 30, 50\n30, 0, 70\n50, 70, 0");
  LinkConfig link;
  link.latency = MatrixLatency{*one_way_from_rtts(*rtts)};
  Wires w(link, 6);
  CHECK(w.network.one_way(0, 1) == 15ms);
  CHECK(w.network.one_way(1, 5) == 35ms);
  CHECK(w.network.one_way(4, 5) == 35ms);
  CHECK_FALSE(one_way_from_rtts({1ms, 2ms}).has_value());
}

// --- the stream
TEST_CASE("stream: cut at any byte, with jitter, it arrives whole and in order") {
  LinkConfig link = Wires::constant(10ms);
  link.jitter = 50ms;
  link.most_segment = 7;
  Wires w(link);
  const auto from = w.connect(0, 1);
  for (int i = 0; i < 100; ++i) {
    w.write(from, 100);
    w.run(1ms);
  }
  w.run(1s);
  CHECK(w.got(from + 1) == 10'000);
  CHECK(w.in_order(from + 1));
  CHECK(w.sockets[from].written == 10'000);
  CHECK(w.sockets[from + 1].pieces.size() > 1'500);
  CHECK(std::ranges::all_of(w.sockets[from + 1].pieces,
                            [](const auto& piece) { return piece.second <= 7; }));
}

TEST_CASE("stream: a digest comes with the bytes that it was made of, and with no others") {
  LinkConfig link = Wires::constant(10ms);
  Wires w(link);
  const auto dialer = w.connect(0, 1);
  w.write(dialer, 100);
  w.run(1s);
  CHECK(w.digests == 1);
  w.write(dialer, 100);
  w.write(dialer, 100);  // joins it
  w.run(1s);
  CHECK(w.digests == 1);
  CHECK(w.got(dialer + 1) == 300);
}

TEST_CASE("stream: what a turn writes comes in one piece, of 64 KiB at most") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.write(from, 10);
  w.write(from, 20);
  w.run(1s);
  CHECK(w.sockets[from + 1].pieces.size() == 1);
  w.write(from, 200'000);
  w.run(1s);
  CHECK(w.got(from + 1) == 200'030);
  for (const auto& [time, size] : w.sockets[from + 1].pieces) CHECK(size <= kReadSize);
}

TEST_CASE("stream: a read may bring all that is there, in order, as much as a read takes") {
  LinkConfig link = Wires::constant(10ms);
  link.coalesced_ppm = 1'000'000;
  link.most_segment = 1000;
  Wires w(link);
  const auto from = w.connect(0, 1);
  w.read(from + 1, false);
  w.write(from, 200'000);
  w.close(from);
  w.run(1s);
  w.read(from + 1, true);
  w.run(1s);
  CHECK(w.got(from + 1) == 200'000);
  CHECK(w.in_order(from + 1));
  CHECK(w.sockets[from + 1].pieces.size() == 4);
  for (const auto& [time, size] : w.sockets[from + 1].pieces) CHECK(size <= kReadSize);
  CHECK(w.sockets[from + 1].error == "closed");
  CHECK(w.network.live() == 0);
}

TEST_CASE("stream: an answer may be taken at once, whole or its beginning, and is counted once") {
  LinkConfig link = Wires::constant(10ms);
  link.taken_at_once_ppm = 500'000;
  Wires w(link);
  const auto dialer = w.connect(0, 1);
  CHECK(w.write(dialer, 100) == 0);  // it answers nothing
  std::size_t none = 0, part = 0, all = 0, taken = 0;
  for (int i = 0; i < 100; ++i) {
    w.run(1s);
    w.write(dialer, 1);
    w.run(1s);
    const std::size_t at_once = w.write(dialer + 1, 100);
    CHECK(w.write(dialer + 1, 100) == 0);  // once for what was read
    ++(at_once == 0 ? none : at_once == 100 ? all : part);
    taken += at_once;
  }
  w.run(1s);
  CHECK(none > 30);
  CHECK(part > 10);
  CHECK(all > 10);
  CHECK(w.sockets[dialer + 1].written + taken == 20'000);
  CHECK(w.got(dialer) == 20'000);
  CHECK(w.in_order(dialer));
}

TEST_CASE("stream: what is lost comes a retransmission later, and all behind it") {
  LinkConfig link = Wires::constant(10ms);
  link.loss_ppm = 100'000;
  Wires w(link);
  const auto from = w.connect(0, 1);
  const Time start = w.now();
  for (int i = 0; i < 100; ++i) {
    w.write(from, 1);
    w.run(1ms);
  }
  w.run(10s);
  CHECK(w.in_order(from + 1));
  CHECK(w.got(from + 1) == 100);
  const auto& pieces = w.sockets[from + 1].pieces;
  CHECK(pieces.front().first - start < 20ms);
  CHECK(pieces.back().first - start >= 210ms);
}

TEST_CASE("window: whoever does not read stops the writer, who learns when there is room again") {
  LinkConfig link = Wires::constant(10ms);
  link.window = 1000;
  Wires w(link);
  const auto from = w.connect(0, 1);
  w.read(from + 1, false);
  w.write(from, 900);
  w.run(1s);
  CHECK(w.sockets[from].written == 900);
  w.write(from, 600);
  w.run(100s);
  CHECK(w.sockets[from].written == 900);
  CHECK(w.got(from + 1) == 0);
  w.read(from + 1, true);
  const Time start = w.now();
  w.run(1s);
  CHECK(w.got(from + 1) == 1500);
  CHECK(w.in_order(from + 1));
  CHECK(w.sockets[from].written == 1500);
  CHECK(w.sockets[from].writes.back() - start == 10ms);
}

TEST_CASE("window: a full one a round trip is the most that passes") {
  LinkConfig link = Wires::constant(50ms);
  link.window = 10'000;
  Wires w(link);
  const auto from = w.connect(0, 1);
  w.write(from, 1'000'000);
  w.run(2s);
  CHECK(w.got(from + 1) > 150'000);
  CHECK(w.got(from + 1) <= 210'000);
}

// --- rates
TEST_CASE("rates: a line of 1 MB/s takes a second for a megabyte, up or down") {
  for (const Rates rates : {Rates{.up = 1'000'000}, Rates{.down = 1'000'000}}) {
    Wires w;
    const HostId slow = w.add({.rates = rates});
    const auto dialer = w.connect(slow, 0);
    const auto from = rates.up ? dialer : dialer + 1, to = rates.up ? dialer + 1 : dialer;
    const Time start = w.now();
    w.write(from, 1'000'000);
    w.run(5s);
    CHECK(w.got(to) == 1'000'000);
    CHECK(w.in_order(to));
    CHECK(about(w.sockets[to].pieces.back().first - start, 1010ms, 5ms));
  }
}

TEST_CASE("rates: connections share a line alike, whoever came first and asks for most") {
  for (const Rates rates : {Rates{.up = 1'000'000}, Rates{.down = 1'000'000}}) {
    Wires w(Wires::constant(10ms), 4);
    const HostId slow = w.add({.rates = rates});
    std::vector<std::size_t> readers, writers;
    for (HostId other = 0; other < 4; ++other) {
      const auto dialer = w.connect(slow, other);
      writers.push_back(rates.up ? dialer : dialer + 1);
      readers.push_back(rates.up ? dialer + 1 : dialer);
    }
    for (std::size_t i = 0; i < 4; ++i) w.write(writers[i], 500'000 * (4 - i));
    w.run(1s);
    for (const auto reader : readers) CHECK(about(Duration(w.got(reader)), 250us, 10us));
  }
}

TEST_CASE("rates: a line is its users' in full while the others are silent") {
  Wires w(Wires::constant(10ms), 2);
  const HostId slow = w.add({.rates = {.up = 1'000'000}});
  const auto a = w.connect(slow, 0), b = w.connect(slow, 1);
  w.write(a, 100'000);
  w.write(b, 600'000);
  const Time start = w.now();
  w.run(2s);
  CHECK(about(w.sockets[a + 1].pieces.back().first - start, 210ms, 10ms));
  CHECK(about(w.sockets[b + 1].pieces.back().first - start, 710ms, 10ms));
}

TEST_CASE("rates: what waits for the line is sent before the end of the stream") {
  Wires w;
  const HostId slow = w.add({.rates = {.up = 10'000, .down = 10'000}});
  const auto from = w.connect(slow, 0);
  w.write(from, 50'000);
  w.close(from);
  w.run(4s);
  CHECK(w.state(from + 1) == "open");
  w.run(3s);
  CHECK(w.got(from + 1) == 50'000);
  CHECK(w.sockets[from + 1].error == "closed");
  CHECK(w.network.live() == 0);
}

// --- ends
TEST_CASE("end: in order it comes behind the bytes, and waits for whoever reads slowly") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.read(from + 1, false);
  w.write(from, 10);
  w.close(from);
  w.run(1s);
  CHECK(w.state(from + 1) == "open");
  w.read(from + 1, true);
  w.run(1s);
  CHECK(w.got(from + 1) == 10);
  CHECK(w.sockets[from + 1].error == "closed");
  CHECK(w.network.live() == 0);
}

TEST_CASE("end: an abort is a reset, and what was not read is lost") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.read(from + 1, false);
  w.write(from, 10);
  w.close(from, true);
  w.run(10ms);
  CHECK(w.sockets[from + 1].error == "reset");
  CHECK(w.got(from + 1) == 0);
  CHECK(w.network.live() == 0);
}

TEST_CASE("end: what the window held back is flushed for five seconds, and no longer") {
  LinkConfig link = Wires::constant(10ms);
  link.window = 100;
  Wires w(link);
  const auto from = w.connect(0, 1);
  w.read(from + 1, false);
  w.write(from, 300);
  w.close(from);
  w.run(4s);
  CHECK(w.network.connections(0) == 1);
  w.run(2s);
  CHECK(w.network.connections(0) == 0);
  CHECK(w.sockets[from + 1].error == "reset");
}

TEST_CASE("end: whoever writes to an end that is gone is told so") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.network.vanish(1);
  w.network.power_up(1);
  w.run(100s);
  CHECK(w.state(from) == "open");  // half-open: it cannot know
  w.write(from, 1);
  const Time start = w.now();
  w.run(1s);
  CHECK(w.sockets[from].error == "reset");
  CHECK(w.since(from, start) == 20ms);
  CHECK(w.network.live() == 0);
}

TEST_CASE("end: a machine that vanished says nothing, until TCP gives up") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.network.vanish(1);
  w.write(from, 1);
  w.run(900s);
  CHECK(w.state(from) == "open");
  w.run(60s);
  CHECK(w.sockets[from].error == "timeout");
  CHECK(w.network.live() == 0);
}

TEST_CASE("end: a process that ends resets its connections, and nobody can come") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.network.reset_all(1);
  const Time start = w.now();
  w.run(1s);
  CHECK(w.sockets[from].error == "reset");
  CHECK(w.since(from, start) == 10ms);
  const auto again = w.dial(0, 1);
  w.run(1s);
  CHECK(w.sockets[again].error == "refused");
}

// --- trouble
TEST_CASE("partition: connections wait, and go on at one of TCP's pauses after it ends") {
  Wires w(Wires::constant(10ms), 3);
  const auto across = w.connect(0, 1), within = w.connect(0, 2);
  w.network.partition({{0, 2}, {1}});
  const Time start = w.now();
  w.write(across, 5);
  w.write(within, 5);
  w.run(10s);
  CHECK(w.got(across + 1) == 0);
  CHECK(w.got(within + 1) == 5);
  w.network.heal();
  w.write(across, 5);
  w.run(10s);
  CHECK(w.state(across + 1) == "open");
  CHECK(w.got(across + 1) == 10);
  CHECK(w.in_order(across + 1));
  // It was sent again after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s.
  CHECK(w.sockets[across + 1].pieces.front().first - start == 12'610ms);
}

TEST_CASE("cut: one direction only") {
  Wires w;
  const auto dialer = w.connect(0, 1);
  w.network.cut(0, 1);
  w.write(dialer, 5);
  w.write(dialer + 1, 5);
  w.run(1s);
  CHECK(w.got(dialer) == 5);
  CHECK(w.got(dialer + 1) == 0);
  w.network.heal(0, 1);
  w.run(2s);
  CHECK(w.got(dialer + 1) == 5);
}

TEST_CASE("stall: everything between two waits for its end") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.write(from, 1);
  w.network.stall(0, 1, 3s);
  const Time start = w.now();
  w.run(2s);
  w.write(from, 1);
  w.run(900ms);
  CHECK(w.got(from + 1) == 0);
  w.run(200ms);
  CHECK(w.got(from + 1) == 2);
  CHECK(w.sockets[from + 1].pieces.front().first - start == 3s);
}

TEST_CASE("stall: a reset waits behind what was written before it") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.write(from, 1);
  w.network.stall(0, 1, 3s);
  w.close(from, true);
  const Time start = w.now();
  w.run(10s);
  CHECK(w.got(from + 1) == 1);
  CHECK(w.sockets[from + 1].error == "reset");
  CHECK(w.since(from + 1, start) == 3s);
  CHECK(w.network.live() == 0);
}

TEST_CASE(
    "reset: draws once, whether or not there is a connection, and says whether it broke one") {
  Wires w;
  Luck luck(1), other(1);
  CHECK_FALSE(w.network.reset_some(0, luck));
  const auto from = w.connect(0, 1);
  CHECK(w.network.reset_some(0, luck));
  CHECK(w.sockets[from].error.empty());
  w.run(1s);
  CHECK(w.sockets[from].error == "reset");
  CHECK(w.sockets[from + 1].error == "reset");
  other.next(), other.next();
  CHECK(luck.next() == other.next());
}

TEST_CASE("partition: a reset waits behind what waited for its end") {
  Wires w;
  const auto from = w.connect(0, 1);
  w.network.partition({{0}, {1}});
  w.write(from, 1);
  w.run(10s);
  w.network.heal();
  w.close(from, true);
  w.run(10s);
  CHECK(w.got(from + 1) == 1);
  CHECK(w.sockets[from + 1].error == "reset");
  CHECK(w.network.live() == 0);
}

// --- luck
TEST_CASE("luck: what one connection draws is no other's matter") {
  LinkConfig link = Wires::constant(10ms);
  link.jitter = 10ms;
  const auto play = [&](bool more) {
    Wires w(link, 4);
    const auto from = w.connect(0, 1), other = w.connect(2, 3);
    for (int i = 0; i < 50; ++i) {
      w.write(from, 1);
      if (more) w.write(other, 100);
      w.run(100ms);
    }
    return w.sockets[from + 1].pieces;
  };
  CHECK(play(false) == play(true));
}

// --- addresses
TEST_CASE("addresses: spread over groups of the sizes asked for, all public, no two alike") {
  const AddressPlan plan{AddressPlan::Scope::spread, 3, 4, 5};
  std::map<std::uint32_t, int> by_24, by_16, by_8;
  std::set<Endpoint> all;
  for (HostId host = 0; host < 600; ++host) {
    const Endpoint at = planned_address(plan, 1, host);
    const auto octet = [&](std::size_t i) { return std::uint32_t{at.host[i]}; };
    all.insert(at);
    ++by_8[octet(0)];
    ++by_16[octet(0) << 8 | octet(1)];
    ++by_24[octet(0) << 16 | octet(1) << 8 | octet(2)];
    for (const std::uint32_t special : {0u, 10u, 127u, 172u, 192u, 169u})
      CHECK(octet(0) != special);
    CHECK(octet(0) < 224);
  }
  CHECK(all.size() == 600);
  CHECK(by_24.size() == 200);
  CHECK(by_16.size() == 50);
  CHECK(by_8.size() == 10);
  CHECK(planned_address({}, 1, 70'000) == ipv4(10, 1, 0x11, 0x70));
}

TEST_CASE("address plan: who owns networks has them to himself") {
  const AddressPlan plan{AddressPlan::Scope::spread, 1, 1, 2};
  std::set<Endpoint> planned;
  for (HostId host = 0; host < capacity_beside_owned(plan); ++host)
    planned.insert(planned_address(plan, 1, host));
  std::set<std::array<std::uint8_t, 6>> holders;
  std::set<Endpoint> all;
  for (std::size_t network = 0; network < 100; ++network)
    for (std::size_t host = 0; host < 300; ++host) {
      const Endpoint at = owned_address(1, network, host);
      CHECK(all.insert(at).second);
      CHECK_FALSE(planned.contains(at));
      holders.insert(holding(public_subnet(Multiaddr::tcp(at)).value()).prefix);
    }
  CHECK(holders.size() == 100);
  CHECK(capacity_beside_owned(plan) < capacity(plan));
}

}  // namespace kadmesh
