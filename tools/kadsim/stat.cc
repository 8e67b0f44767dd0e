#include "kadsim/stat.h"

#include <algorithm>
#include <array>

namespace kadmesh::kadsim {
namespace {

#define KADSIM_STAT(part, field)                                                           \
  Stat {                                                                                   \
    #part "." #field, [](const NodeStats& s) { return static_cast<double>(s.part.field); } \
  }

constexpr std::array kStats{
    KADSIM_STAT(gossip, peers),
    KADSIM_STAT(gossip, topics),
    KADSIM_STAT(gossip, seen),
    KADSIM_STAT(gossip, cached),
    KADSIM_STAT(gossip, validating),
    KADSIM_STAT(gossip, backoffs),
    KADSIM_STAT(gossip, asking),
    KADSIM_STAT(gossip, delivered),
    KADSIM_STAT(gossip, duplicates),
    KADSIM_STAT(gossip, published),
    KADSIM_STAT(gossip, forwarded),
    KADSIM_STAT(gossip, rejected),
    KADSIM_STAT(gossip, dropped),
    KADSIM_STAT(gossip, ihave_sent),
    KADSIM_STAT(gossip, iwant_sent),
    KADSIM_STAT(gossip, iwant_served),
    KADSIM_STAT(gossip, grafts),
    KADSIM_STAT(gossip, prunes),
    KADSIM_STAT(gossip, rpcs_in),
    KADSIM_STAT(gossip, rpcs_out),
    KADSIM_STAT(kad, queries_running),
    KADSIM_STAT(kad, requests_outstanding),
    KADSIM_STAT(kad, inbound_waiting),
    KADSIM_STAT(kad, table_servers),
    KADSIM_STAT(kad, table_provisional),
    KADSIM_STAT(kad, pending_puts),
    KADSIM_STAT(kad, queries_started),
    KADSIM_STAT(kad, queries_ok),
    KADSIM_STAT(kad, queries_failed),
    KADSIM_STAT(kad, queries_timed_out),
    KADSIM_STAT(kad, requests_sent),
    KADSIM_STAT(kad, requests_failed),
    KADSIM_STAT(kad, requests_served),
    KADSIM_STAT(kad, requests_refused),
    KADSIM_STAT(swarm, connections),
    KADSIM_STAT(swarm, opening),
    KADSIM_STAT(swarm, dial_jobs),
    KADSIM_STAT(swarm, streams),
    KADSIM_STAT(swarm, buffered_bytes),
    KADSIM_STAT(bootstrap, live),
    KADSIM_STAT(bootstrap, attempts),
    Stat{"connected_peers",
         [](const NodeStats& s) { return static_cast<double>(s.connected_peers); }},
    Stat{"book_peers", [](const NodeStats& s) { return static_cast<double>(s.book_peers); }},
};

#undef KADSIM_STAT

}  // namespace

std::span<const Stat> stats() { return kStats; }

const Stat* find_stat(std::string_view name) {
  const auto at = std::ranges::find(kStats, name, &Stat::name);
  return at == kStats.end() ? nullptr : &*at;
}

}  // namespace kadmesh::kadsim
