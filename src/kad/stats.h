// What one node's Kademlia has done and holds, in numbers. Counters begin at 0 with the node and
// only grow; the rest is as it is at this moment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "kad/kad_type.h"

namespace kadmesh {

// How soon questions are answered, and for how long an answer is waited for (kad/rtt.h).
struct KadPace {
  std::uint64_t answers = 0;
  Duration mean{}, deviation{};  // zero without answers
  Duration timeout{};            // of a peer of which nothing is known
};

// What users ask for; what a node asks for itself is not among them.
enum class QueryType : std::uint8_t { get, put, provide, find_providers, find_peer, find_closest };
inline constexpr std::size_t kQueryTypes = 6;
std::string_view name(QueryType type);

inline constexpr std::size_t kErrcs = static_cast<std::size_t>(Errc::io) + 1;

// How things of one kind ended: well, or with which error.
struct Outcomes {
  std::uint64_t ok = 0;
  std::array<std::uint64_t, kErrcs> failed{};  // by Errc

  // Null: well.
  void count(const Error* cause) { ++(cause ? failed[static_cast<std::size_t>(cause->code)] : ok); }
  std::uint64_t all_failed() const {
    return std::accumulate(failed.begin(), failed.end(), std::uint64_t{0});
  }
};

inline constexpr std::size_t kHops = 16;

struct QueryStats {
  Outcomes ended;
  Histogram took_ms;
  // Of those that ended well, by how many hops their walks had; the last: so many or more.
  std::array<std::uint64_t, kHops> hops{};
};

// Requests of one type that this node sent. Each ends as one of these or is still outstanding.
struct RequestStats {
  std::uint64_t sent = 0, withdrawn = 0;
  Outcomes ended;
};
inline constexpr std::size_t kKadTypes = 6;  // KadType, from 0

// Requests of peers that have ended: answered, or refused with an error.
struct InboundStats {
  std::array<Outcomes, kKadTypes> ended{};  // by KadType
  Outcomes unread;  // of no type: a client reads none, and some make no sense
};

struct KadStats {
  std::size_t queries_running = 0, requests_outstanding = 0, inbound_waiting = 0;
  std::size_t table_servers = 0, table_provisional = 0;
  // Servers that are connected; buckets that hold a server, and those that hold a connected one.
  std::size_t table_live = 0, buckets = 0, buckets_live = 0;
  // What is to be published and has reached nobody yet.
  std::size_t pending_puts = 0, pending_provides = 0;
  // What is due to be published again and waits for its turn, of the page that was read; what is
  // being published.
  std::size_t republish_due = 0, republish_running = 0;
  // Users' operations; the running ones above include our own.
  std::uint64_t queries_started = 0, queries_ok = 0, queries_failed = 0, queries_timed_out = 0;
  std::array<QueryStats, kQueryTypes> queries{};  // by QueryType
  std::uint64_t requests_sent = 0, requests_failed = 0, requests_served = 0, requests_refused = 0;
  std::array<RequestStats, kKadTypes> requests{};  // by KadType
  InboundStats inbound;
  KadPace warm, cold;  // over an open connection, and when a dial comes first
};

}  // namespace kadmesh
