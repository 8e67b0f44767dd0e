// What Kademlia does unasked: it joins and stays joined, republishes what is ours, looks around,
// asks who is silent whether it is still there, and drops what has expired.
#include <algorithm>

#include "kad/closest_query.h"
#include "kad/errand_query.h"
#include "kad/kad_state.h"
#include "kad/params.h"

namespace kadmesh {

bool Kad::State::count_live(Turn turn) {
  const std::size_t before = std::exchange(live, peers.live());
  if (before == live) return false;
  machine.on_live(turn, live);
  if (live == 0) {
    refresh.on_isolated();
    republish.on_unreachable();
  } else if (before == 0) {
    refresh.on_joined(turn);
    republish.on_reachable(turn);
  }
  return true;
}

bool Kad::State::step_bootstrap(Turn turn) {
  auto next = machine.poll(turn);
  if (!next) return false;
  if (auto* dial = std::get_if<KadDial>(&*next))
    actions.push_back(std::move(*dial));
  else
    store(ForNobody{}, std::get<StoreRequest>(*std::move(next)));
  return true;
}

bool Kad::State::step_republish(Turn turn) {
  auto next = republish.poll(turn);
  if (!next) return false;
  if (auto* scan = std::get_if<Scan>(&*next))
    store(ForRepublish{}, std::move(*scan));
  else
    deliver(turn, std::get<Republish::Due>(*std::move(next)));
  return true;
}

void Kad::State::deliver(Turn turn, Republish::Due due) {
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
  while (const auto id = server.expire(turn.now.mono))
    act(*id, Server::Refuse{{Errc::timeout, "the store did not answer"}});
  if (closed) return;
  if (turn.now.mono >= next_health) check_health(turn);
  if (turn.now.mono < next_expire) return;
  next_expire = after(turn.now.mono, kExpireInterval);
  store(ForNobody{}, Expire{});
}

// A connection may be open and nobody there: who was silent for longest is asked.
void Kad::State::check_health(Turn turn) {
  next_health = after(turn.now.mono, config.health_interval);
  if (queries.running(Purpose::probe) > 0) return;
  std::optional<TableEntry> quietest;
  const auto heard = [](const TableEntry& e) { return std::max(e.last_answer, e.since); };
  for (const TableEntry& entry : table.entries())
    if (entry.connected && (!quietest || heard(entry) < heard(*quietest))) quietest = entry;
  if (quietest && turn.now.mono >= after(heard(*quietest), kProbeAfter))
    probe(turn, quietest->contact.peer);
}

}  // namespace kadmesh
