// How a node stands with its network, for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kadmesh {

enum class Bootstrap {
  no_seeds,  // no live peer, and nowhere to go
  dialing,   // no live peer; a seed is being dialed, or none has failed yet
  joined,    // at least one live peer
  isolated,  // no live peer; what could be dialed failed, and is tried again later
};
std::string_view name(Bootstrap state);

struct BootstrapStatus {
  Bootstrap state{};
  std::size_t live = 0;      // connected, kad-capable peers
  std::size_t attempts = 0;  // dials since last joined
  Time next_attempt = kNever;
  std::string last_failure;  // of the latest place that failed; empty when none did
};

}  // namespace kadmesh
