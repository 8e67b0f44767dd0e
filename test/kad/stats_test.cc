#include "kad/stats.h"

#include <doctest/doctest.h>

#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("stats: every figure of what happened in a network of three is exact") {
  Trio net;
  const auto type = [&](QueryType which) {
    return net.kad(kBob).stats().queries[static_cast<std::size_t>(which)];
  };
  const auto sent = [&](KadType which) {
    return net.kad(kBob).stats().requests[static_cast<std::size_t>(which)];
  };
  net.report<PutReport>(kBob, net.put(kBob, "/v/k", "v"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  CHECK(net.error(kBob, net.get(kBob, "/v/none")) == Errc::not_found);
  net[kAlice].silent = net[kCharlie].silent = true;
  CHECK(net.error(kBob, net.get(kBob, "/v/none", 1s)) == Errc::timeout);

  CHECK(type(QueryType::put).ended.ok == 1);
  CHECK(type(QueryType::get).ended.ok == 1);
  CHECK(type(QueryType::get).ended.failed[static_cast<std::size_t>(Errc::not_found)] == 1);
  CHECK(type(QueryType::get).ended.failed[static_cast<std::size_t>(Errc::timeout)] == 1);
  CHECK(type(QueryType::get).ended.all_failed() == 2);
  CHECK(type(QueryType::get).took_ms.count() == 3);
  CHECK(type(QueryType::get).took_ms.sum() == 1000 + 2 * 12);  // two disks and a round trip
  CHECK(type(QueryType::get).hops[1] == 1);                    // of the one that ended well
  CHECK(type(QueryType::find_peer).took_ms.count() == 0);
  CHECK(sent(KadType::put_value).sent == 2);
  CHECK(sent(KadType::put_value).ended.ok == 2);
  CHECK(sent(KadType::get_value).sent == 6);
  CHECK(sent(KadType::get_value).ended.ok == 4);
  const RequestStats gets = sent(KadType::get_value);
  CHECK(gets.withdrawn + gets.ended.all_failed() == 2);
  const KadStats all = net.kad(kBob).stats();
  CHECK(all.table_servers == 2);
  CHECK(all.table_live == 2);
  CHECK(all.buckets == all.buckets_live);
  CHECK(all.queries_ok == 2);
  CHECK(all.queries_failed == 1);
  CHECK(all.queries_timed_out == 1);
}

TEST_CASE("stats: what one node asked and the others answered are the same requests") {
  Trio net;
  net.report<PutReport>(kBob, net.put(kBob, "/v/k", "v"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  CHECK(net.error(kBob, net.get(kBob, "/v/none")) == Errc::not_found);
  for (const KadType type : {KadType::put_value, KadType::get_value}) {
    const auto index = static_cast<std::size_t>(type);
    std::uint64_t served = 0;
    for (const auto who : {kAlice, kCharlie})
      served += net.kad(who).stats().inbound.ended[index].ok;
    CHECK(served == net.kad(kBob).stats().requests[index].ended.ok);
    CHECK(served > 0);
  }
  for (const auto who : {kAlice, kBob, kCharlie}) {
    const KadStats stats = net.kad(who).stats();
    std::uint64_t served = 0;
    for (const Outcomes& type : stats.inbound.ended) served += type.ok;
    CHECK(stats.requests_served == served);
    CHECK(stats.requests_refused == 0);
  }
}

TEST_CASE("stats: what is to be published and reached nobody is counted apart, by kind") {
  Net net;
  net.add(kAlice);
  net.put(kAlice, "/v/k", "v");
  net.does(kAlice,
           [&](Kad& kad) { return kad.provide(net.turn(), bytes("hash"), after(net.now, 1s)); });
  net.run_for(2s);
  CHECK(net.kad(kAlice).stats().pending_puts == 1);
  CHECK(net.kad(kAlice).stats().pending_provides == 1);
}

TEST_CASE("stats: an operation that ends at once is counted with its type") {
  Net net;
  net.add(kAlice);
  CHECK(net.error(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.find_closest(net.turn(), {}, after(net.now, 1s));
  })) == Errc::invalid);
  const auto closest =
      net.kad(kAlice).stats().queries[static_cast<std::size_t>(QueryType::find_closest)];
  CHECK(closest.ended.failed[static_cast<std::size_t>(Errc::invalid)] == 1);
}

TEST_CASE("stats: a number is counted at the first bound that is not below it") {
  Histogram h;
  for (const std::uint64_t value : {0u, 1u, 2u, 3u, 4u, 5u, 32768u, 32769u, 9'999'999u})
    h.add(value);
  CHECK(h.counts()[0] == 1);
  CHECK(h.counts()[1] == 1);
  CHECK(h.counts()[2] == 1);
  CHECK(h.counts()[3] == 2);
  CHECK(h.counts()[4] == 1);
  CHECK(h.counts()[Histogram::kBounds - 1] == 1);
  CHECK(h.counts()[Histogram::kBounds] == 2);
  CHECK(Histogram::bound(Histogram::kBounds - 1) == 32768);
  CHECK(h.count() == 9);
}

}  // namespace kadmesh
