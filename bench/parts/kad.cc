// A table that is full as far as 5,000 peers fill it, messages, and a step of a lookup.
#include <algorithm>

#include "kad/lookup.h"
#include "kad/routing_table.h"
#include "kad/wire.h"
#include "part.h"

namespace kadmesh::bench {
namespace {

constexpr std::uint32_t kPeers = 5'000;
constexpr std::size_t kK = 20;

Contact contact(std::uint32_t n) { return {peer(n), {Dialable(addr(n), Source::identify)}}; }

const std::vector<Contact>& contacts() {
  static const std::vector<Contact> made = [] {
    std::vector<Contact> all;
    for (std::uint32_t n = 1; n <= kPeers; ++n) all.push_back(contact(n));
    return all;
  }();
  return made;
}

RoutingTable full_table() {
  RoutingTable table(peer(0), kK);
  for (const Contact& each : contacts()) {
    table.on_connected(each.peer, Time(1h));
    table.on_serves(each.peer, each.addrs, Time(1h));
    table.on_answered(each.peer, each.addrs, Time(1h));
    table.on_disconnected(each.peer);
  }
  return table;
}

void closest(benchmark::State& state) {
  const RoutingTable table = full_table();
  std::uint32_t asked = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        table.to_hand_out(KadId::of(contacts()[asked++ % kPeers].peer), kK, peer(0)));
}
// The distances of all that are in the table, and a selection: no buckets, no copies of contacts.
void floor_closest(benchmark::State& state) {
  std::vector<KadId> ids;
  for (const TableEntry& entry : full_table().entries())
    ids.push_back(KadId::of(entry.contact.peer));
  std::vector<Distance> distances(ids.size());
  std::uint32_t asked = 0;
  for (auto _ : state) {
    const KadId target = KadId::of(contacts()[asked++ % kPeers].peer);
    std::ranges::transform(ids, distances.begin(),
                           [&](const KadId& id) { return distance(id, target); });
    std::ranges::partial_sort(distances, distances.begin() + kK);
    benchmark::DoNotOptimize(distances.data());
  }
}
BENCHMARK(closest);
BENCHMARK(floor_closest);

KadMessage answer() {
  KadMessage message;
  message.type = KadType::find_node;
  message.key = to_bytes(peer(1).bytes());
  for (std::uint32_t n = 1; n <= kK; ++n)
    message.closer.push_back({peer(n), {addr(n), addr(n + 1)}, Connectedness::connected});
  return message;
}
void encode(benchmark::State& state) {
  const KadMessage message = answer();
  for (auto _ : state) benchmark::DoNotOptimize(encode_answer(message));
}
void decode(benchmark::State& state) {
  const Bytes bytes = encode_answer(answer());
  for (auto _ : state) benchmark::DoNotOptimize(decode_kad(bytes, {}));
}
BENCHMARK(encode);
BENCHMARK(decode);

// Whom to ask next, and twenty contacts in an answer; over a walk of fifty answers.
void lookup_step(benchmark::State& state) {
  std::optional<Lookup> walk;
  std::uint32_t steps = 0;
  for (auto _ : state) {
    if (steps % 50 == 0) {
      walk.emplace(peer(0), KadId::of(peer(kPeers)), LookupParams(), kNever);
      for (std::uint32_t n = 0; n < kK; ++n) walk->add(contacts()[n]);
    }
    const auto step = walk->next(Time(1h));
    const std::size_t first = ++steps * kK % (kPeers - kK);
    if (const auto* ask = std::get_if<Lookup::Ask>(&step))
      walk->on_reply(ask->to.peer, std::span(contacts()).subspan(first, kK));
    else
      steps = 0;
  }
}
BENCHMARK(lookup_step);

}  // namespace
}  // namespace kadmesh::bench
