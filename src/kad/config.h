// What a user sets of Kademlia. The defaults are go's, which all public peers are tuned to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/multiaddr.h"
#include "base/time.h"
#include "kad/diversity.h"
#include "kad/policy.h"
#include "kad/scope.h"
#include "store/validator.h"

namespace kadmesh {

// Whether a node serves the DHT: only servers are asked, and enter tables. `automatic`: once others
// can dial it, until then it is a client (node/serving.h).
enum class KadMode : std::uint8_t { client, server, automatic };

// Whom a key's providers make room for when they are many: kad/provider_set.h.
enum class ProviderPolicy : std::uint8_t { first_come, fair };

struct KadConfig {
  std::string protocol = "/ipfs/kad/1.0.0";
  KadMode mode = KadMode::server;  // whether to serve the protocol and list it in identify
  std::size_t k = 20;              // bucket size, and closest peers sought
  std::size_t alpha = 10;          // requests in flight in a lookup
  std::size_t beta = 3;            // closest that must have answered before a lookup converges
  // Of each bucket: peers whose connections stay when they are idle. Fewer save memory, and cost
  // walks a dial for each of the others.
  std::size_t kept_of_bucket = 20;
  // A walk's disjoint paths (S/Kademlia, kad/paths.h), 16 at most: each answer leads its own on.
  // More than 1 cost requests, and find more than k peers where some of them lie.
  std::size_t paths = 1;
  Duration request_timeout = 5s;  // one peer's answer; never beyond the operation's deadline
  // request_timeout is the most, and less is given by what answers took so far (kad/rtt.h): at the
  // least 500 ms, 2 s where a dial comes first. Requests to store always have all of it.
  bool adaptive = true;
  // Requests that want an answer go out on a stream that has answered before (kept_streams.h), as
  // go's do, rather than on one each. Spares both ends some work; no round trips.
  bool reuse_streams = false;
  // Of equally near peers walks ask first whom it was worth to ask before, and nobody who answers
  // next to nothing (kad/quality.h).
  bool quality = true;
  Duration health_interval = 15s;  // level-triggered check of live, kad-capable peers
  Duration refresh_interval = 10min;
  Duration record_ttl = 48h;
  Duration provider_ttl = 48h;
  ProviderPolicy providers = ProviderPolicy::fair;
  Duration republish_interval = 22h;
  // Values that are here are copied to who else is near (kad/replication.h); 0: never, as go.
  Duration replicate_interval = 1h;
  // Bytes of key and value together: checked before sending, and of what comes.
  std::size_t most_value = 64 * 1024 - 1024;
  std::vector<Multiaddr> seeds;  // permanent; retried for ever with jittered backoff
  Validators validators = Validators::standard();
  Scope scope = Scope::automatic;  // which peers the DHT is for: kad/scope.h
  DiversityLimits diversity;       // servers of one public network in the routing table
  KadPolicies policies;            // how walks and buckets decide: kad/policy.h
};

}  // namespace kadmesh
