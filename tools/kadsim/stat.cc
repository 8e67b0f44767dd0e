#include "kadsim/stat.h"

#include <algorithm>
#include <array>

namespace kadmesh::kadsim {
namespace {

#define KADSIM_STAT(part, field)                                                           \
  Stat {                                                                                   \
    #part "." #field, [](const NodeStats& s) { return static_cast<double>(s.part.field); } \
  }

constexpr double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

#define KADSIM_QUERY(type)                                                              \
  Stat{"kad." #type "_ok",                                                              \
       [](const NodeStats& s) {                                                         \
         return static_cast<double>(                                                    \
             s.kad.queries[static_cast<std::size_t>(QueryType::type)].ended.ok);        \
       }},                                                                              \
      Stat {                                                                            \
    "kad." #type "_failed", [](const NodeStats& s) {                                    \
      return static_cast<double>(                                                       \
          s.kad.queries[static_cast<std::size_t>(QueryType::type)].ended.all_failed()); \
    }                                                                                   \
  }

#define KADSIM_REQUEST(type)                                                                       \
  Stat{"kad." #type "_requests",                                                                   \
       [](const NodeStats& s) {                                                                    \
         return static_cast<double>(s.kad.requests[static_cast<std::size_t>(KadType::type)].sent); \
       }},                                                                                         \
      Stat {                                                                                       \
    "kad." #type "_requests_failed", [](const NodeStats& s) {                                      \
      return static_cast<double>(                                                                  \
          s.kad.requests[static_cast<std::size_t>(KadType::type)].ended.all_failed());             \
    }                                                                                              \
  }

#define KADSIM_INBOUND(type)                                                          \
  Stat{"kad." #type "_served",                                                        \
       [](const NodeStats& s) {                                                       \
         return static_cast<double>(                                                  \
             s.kad.inbound.ended[static_cast<std::size_t>(KadType::type)].ok);        \
       }},                                                                            \
      Stat {                                                                          \
    "kad." #type "_refused", [](const NodeStats& s) {                                 \
      return static_cast<double>(                                                     \
          s.kad.inbound.ended[static_cast<std::size_t>(KadType::type)].all_failed()); \
    }                                                                                 \
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
    KADSIM_STAT(gossip, ignored),
    KADSIM_STAT(gossip, unjudged),
    KADSIM_STAT(gossip, dropped),
    KADSIM_STAT(gossip, outbox),
    KADSIM_STAT(gossip, idontwant_sent),
    KADSIM_STAT(gossip, idontwant_got),
    KADSIM_STAT(gossip, not_wanted),
    KADSIM_STAT(gossip, graylisted),
    KADSIM_STAT(gossip, below_zero),
    KADSIM_STAT(gossip, lowest_score),
    KADSIM_STAT(gossip, ihave_sent),
    KADSIM_STAT(gossip, iwant_sent),
    KADSIM_STAT(gossip, iwant_served),
    KADSIM_STAT(gossip, grafts),
    KADSIM_STAT(gossip, prunes),
    KADSIM_STAT(gossip, rpcs_in),
    KADSIM_STAT(gossip, rpcs_out),
    KADSIM_STAT(backfill, kept),
    KADSIM_STAT(backfill, kept_bytes),
    KADSIM_STAT(backfill, served),
    KADSIM_STAT(backfill, served_messages),
    KADSIM_STAT(backfill, served_bytes),
    KADSIM_STAT(backfill, refused),
    KADSIM_STAT(backfill, rate_limited),
    KADSIM_STAT(backfill, pages),
    KADSIM_STAT(backfill, told),
    KADSIM_STAT(backfill, taken),
    KADSIM_STAT(backfill, failed),
    KADSIM_STAT(kad, queries_running),
    KADSIM_STAT(kad, requests_outstanding),
    KADSIM_STAT(kad, inbound_waiting),
    KADSIM_STAT(kad, table_servers),
    KADSIM_STAT(kad, table_provisional),
    KADSIM_STAT(kad, table_live),
    KADSIM_STAT(kad, buckets),
    KADSIM_STAT(kad, buckets_live),
    KADSIM_STAT(kad, pending_puts),
    KADSIM_STAT(kad, pending_provides),
    KADSIM_STAT(kad, republish_due),
    KADSIM_STAT(kad, republish_running),
    KADSIM_QUERY(get),
    KADSIM_QUERY(put),
    KADSIM_QUERY(provide),
    KADSIM_QUERY(find_providers),
    KADSIM_QUERY(find_peer),
    KADSIM_QUERY(find_closest),
    KADSIM_REQUEST(put_value),
    KADSIM_REQUEST(get_value),
    KADSIM_REQUEST(add_provider),
    KADSIM_REQUEST(get_providers),
    KADSIM_REQUEST(find_node),
    KADSIM_INBOUND(put_value),
    KADSIM_INBOUND(get_value),
    KADSIM_INBOUND(add_provider),
    KADSIM_INBOUND(get_providers),
    KADSIM_INBOUND(find_node),
    KADSIM_STAT(kad, queries_started),
    KADSIM_STAT(kad, queries_ok),
    KADSIM_STAT(kad, queries_failed),
    KADSIM_STAT(kad, queries_timed_out),
    KADSIM_STAT(kad, requests_sent),
    KADSIM_STAT(kad, requests_failed),
    KADSIM_STAT(kad, requests_served),
    KADSIM_STAT(kad, requests_refused),
    Stat{"kad.warm_mean_ms", [](const NodeStats& s) { return milliseconds(s.kad.warm.mean); }},
    Stat{"kad.warm_timeout_ms",
         [](const NodeStats& s) { return milliseconds(s.kad.warm.timeout); }},
    Stat{"kad.cold_mean_ms", [](const NodeStats& s) { return milliseconds(s.kad.cold.mean); }},
    Stat{"kad.cold_timeout_ms",
         [](const NodeStats& s) { return milliseconds(s.kad.cold.timeout); }},
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
#undef KADSIM_QUERY
#undef KADSIM_REQUEST
#undef KADSIM_INBOUND

}  // namespace

std::span<const Stat> stats() { return kStats; }

const Stat* find_stat(std::string_view name) {
  const auto at = std::ranges::find(kStats, name, &Stat::name);
  return at == kStats.end() ? nullptr : &*at;
}

}  // namespace kadmesh::kadsim
