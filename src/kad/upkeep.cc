// What Kademlia does unasked: it joins and stays joined, republishes what is ours, looks around,
// asks who is silent whether it is still there, and drops what has expired.
#include <algorithm>

#include "kad/closest_query.h"
#include "kad/errand_query.h"
#include "kad/hand_over_query.h"
#include "kad/kad_state.h"
#include "kad/params.h"
#include "kad/region.h"
#include "kad/replicate_query.h"
#include "kad/sweep_query.h"

namespace kadmesh {

bool Kad::State::count_live(Turn turn) {
  const std::size_t before = std::exchange(live, peers.live());
  if (before == live) return false;
  machine.on_live(turn, live);
  if (live == 0) {
    refresh.on_isolated();
    republish.on_unreachable();
    replication.on_unreachable();
  } else if (before == 0) {
    refresh.on_joined(turn);
    republish.on_reachable(turn);
    replication.on_reachable(turn);
  }
  return true;
}

bool Kad::State::step_bootstrap(Turn turn) {
  auto next = machine.poll(turn);
  if (!next) return false;
  if (auto* dial = std::get_if<KadDial>(&*next))
    actions.push_back(std::move(*dial));
  else if (auto* request = std::get_if<StoreRequest>(&*next))
    store(ForNobody{}, std::move(*request));
  else
    explore(turn, std::get<BootstrapMachine::Explore>(*next).through);
  return true;
}

// From there alone: among those whom we know already it would never be asked.
void Kad::State::explore(Turn turn, const PeerId& through) {
  const Time deadline = after(turn.now.mono, kBackgroundDeadline);
  auto query =
      std::make_unique<ClosestQuery>(view, to_bytes(self.bytes()), turn.now.mono, deadline);
  query->start_from({through, peers.addrs(through)});
  queries.start(turn, std::move(query), Purpose::self_lookup, deadline);
}

bool Kad::State::step_republish(Turn turn) {
  auto next = republish.poll(turn, may_sweep() ? &table : nullptr);
  if (!next) return false;
  if (auto* page = std::get_if<Near>(&*next))
    store(ForRepublish{}, std::move(*page));
  else if (auto* due = std::get_if<Republish::Due>(&*next))
    deliver(turn, std::move(*due));
  else
    sweep(turn, std::get<Republish::Sweep>(*std::move(next)).key);
  return true;
}

// Nobody is told without an address of ours.
bool Kad::State::may_sweep() const { return !own_addrs.empty() && has_regions(config.policies); }

void Kad::State::sweep(Turn turn, Bytes key) {
  const Time deadline = after(turn.now.mono, kSweepDeadline);
  auto wanted = [this](Turn now, const Row& row) {
    return republish.due(now, row) && !unsaved.has({row.kind, row.key});
  };
  start(turn, std::make_unique<SweepQuery>(view, std::move(key), std::move(wanted), turn, deadline),
        Purpose::sweep, deadline);
}

bool Kad::State::step_replication(Turn turn) {
  const auto next = replication.poll(turn);
  if (!next) return false;
  if (const auto* hand = std::get_if<Replication::HandOver>(&*next))
    hand_over(turn, hand->to);
  else
    replicate(turn, std::get<Replication::Round>(*next).from);
  return true;
}

void Kad::State::hand_over(Turn turn, const PeerId& to) {
  const Time deadline = after(turn.now.mono, kHandOverDeadline);
  start(turn, std::make_unique<HandOverQuery>(view, to, deadline), Purpose::hand_over, deadline);
}

void Kad::State::replicate(Turn turn, std::uint64_t from) {
  const Time deadline = after(turn.now.mono, kReplicateDeadline);
  start(turn, std::make_unique<ReplicateQuery>(view, from, turn, deadline), Purpose::replicate,
        deadline);
}

bool Kad::State::step_unsaved(Turn turn) {
  auto again = unsaved.poll(turn.now.mono);
  if (!again) return false;
  store(ForNobody{}, *std::move(again));
  return true;
}

// What the disk says of an item that it could not be told about is not so any more.
void Kad::State::deliver(Turn turn, Republish::Due due) {
  if (unsaved.has(due.item)) return;
  const Time deadline = after(turn.now.mono, kBackgroundDeadline);
  if (due.item.first == Kind::publishing)
    put(turn, std::move(due.item.second), std::move(due.value), Purpose::republish, deadline);
  else
    provide(turn, std::move(due.item.second), Purpose::republish, deadline);
}

bool Kad::State::step_refresh(Turn turn) {
  const Time deadline = after(turn.now.mono, kBackgroundDeadline);
  if (refresh.self_lookup_due(turn.now.mono)) {
    refresh.self_lookup_started(turn);
    start_closest(turn, Purpose::self_lookup, to_bytes(self.bytes()), deadline);
    return true;
  }
  refresh.begin_round(turn, table.depth());
  if (queries.running(Purpose::refresh) > 0) return false;
  const auto key = refresh.next_key(turn);
  if (key) start_closest(turn, Purpose::refresh, *key, deadline);
  return key.has_value();
}

void Kad::State::start_closest(Turn turn, Purpose purpose, Bytes key, Time deadline) {
  queries.start(turn, std::make_unique<ClosestQuery>(view, std::move(key), turn.now.mono, deadline),
                purpose, deadline);
}

void Kad::State::probe(Turn turn, const PeerId& peer) {
  const Time deadline = after(turn.now.mono, config.request_timeout);
  start(turn, ErrandQuery::probe({peer, {}}, deadline), Purpose::probe, deadline);
}

// --- time
void Kad::State::on_timer(Turn turn) {
  queries.on_timer(turn);
  while (auto expired = server.expire(turn.now.mono))
    act(expired->first, std::move(expired->second));
  serve_next();
  if (closed) return;
  if (turn.now.mono >= next_health) check_health(turn);
  if (turn.now.mono >= next_quality_save) {
    next_quality_save = after(turn.now.mono, kQualityInterval);
    qualities.save_all();
  }
  if (turn.now.mono >= next_expire) drop_expired(turn);
}

void Kad::State::drop_expired(Turn turn) {
  next_expire = after(turn.now.mono, kExpireInterval);
  const Duration longest = std::max({config.record_ttl, config.provider_ttl, kPoolTtl});
  store(ForNobody{}, Expire{after(turn.now.wall, longest)});
}

void Kad::State::check_health(Turn turn) {
  const bool woken = wake.look(turn.now, next_health);
  next_health = after(turn.now.mono, config.health_interval);
  if (woken) on_woken(turn);
  probe_dropped(turn);
  probe_quiet(turn);
}

// Half of the probes at the most: who is silent keeps none of the others from being asked, be they
// dropped as well or still in the table.
void Kad::State::probe_dropped(Turn turn) {
  std::erase_if(dropped, [&](const PeerId& peer) { return !peers.is_live(peer); });
  for (std::size_t left = dropped.size(); left > 0; --left) {
    if (queries.running(Purpose::probe) >= kMostProbes / 2) return;
    auto next = last_dropped_asked ? dropped.upper_bound(*last_dropped_asked) : dropped.begin();
    if (next == dropped.end()) next = dropped.begin();
    last_dropped_asked = *next;
    probe(turn, *next);
  }
}

// What has expired meanwhile goes before anybody asks for it.
void Kad::State::on_woken(Turn turn) {
  machine.on_network_changed(turn);
  peers.network_changed();
  next_expire = turn.now.mono;
  suspect_all();
}

namespace {

Time last_heard(const TableEntry& entry) { return std::max(entry.last_answer, entry.since); }

// Those that are connected, the longest silent first.
std::vector<TableEntry> by_silence(const RoutingTable& table) {
  std::vector<TableEntry> links = table.entries();
  std::erase_if(links, [](const TableEntry& entry) { return !entry.connected; });
  const auto silence = [](const TableEntry& link) {
    return std::pair(last_heard(link), link.contact.peer);
  };
  std::ranges::sort(links, {}, silence);
  return links;
}

}  // namespace

void Kad::State::suspect_all() {
  suspects.clear();
  for (const TableEntry& link : by_silence(table)) suspects.push_back(link.contact.peer);
}

bool Kad::State::step_suspects(Turn turn) {
  if (suspects.empty() || queries.running(Purpose::probe) >= kMostSuspectProbes) return false;
  const PeerId peer = suspects.front();
  suspects.pop_front();
  if (peers.has(peer)) probe(turn, peer);
  return true;
}

bool Kad::State::step_qualities(Turn turn) {
  auto request = qualities.poll(turn);
  if (!request) return false;
  store(ForNobody{}, *std::move(request));
  return true;
}

// A connection may be open and nobody there.
void Kad::State::probe_quiet(Turn turn) {
  for (const TableEntry& link : by_silence(table)) {
    const bool silent = turn.now.mono >= after(last_heard(link), kProbeAfter);
    if (!silent || queries.running(Purpose::probe) >= kMostProbes) return;
    probe(turn, link.contact.peer);
  }
}

}  // namespace kadmesh
