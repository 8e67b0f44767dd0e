// What a user sets of Kademlia. The defaults are go's, which all public peers are tuned to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/multiaddr.h"
#include "base/time.h"
#include "store/validator.h"

namespace kadmesh {

struct KadConfig {
  std::string protocol = "/ipfs/kad/1.0.0";
  bool server = true;              // serve the protocol and list it in identify
  std::size_t k = 20;              // bucket size, and closest peers sought
  std::size_t alpha = 10;          // requests in flight in a lookup
  std::size_t beta = 3;            // closest that must have answered before a lookup converges
  Duration request_timeout = 5s;   // one peer's answer; never beyond the operation's deadline
  Duration health_interval = 15s;  // level-triggered check of live, kad-capable peers
  Duration refresh_interval = 10min;
  Duration record_ttl = 48h;
  Duration provider_ttl = 48h;
  Duration republish_interval = 22h;
  // Bytes of key and value together: checked before sending, and of what comes.
  std::size_t most_value = 64 * 1024 - 1024;
  std::vector<Multiaddr> seeds;  // permanent; retried for ever with jittered backoff
  Validators validators = Validators::standard();
};

}  // namespace kadmesh
