// What an operation ends with. Partial results say so: Walk::complete.
#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace kadmesh {

// How a walk went; in every report.
struct Walk {
  std::size_t asked = 0, answered = 0, failed = 0, hops = 0;
  // Every one of the closest k that can be reached has answered. False: the deadline came first, or
  // what was sought was there and only silent peers were left.
  bool complete = false;
  Duration took{};
};
struct GetReport {
  Bytes key, value;
  std::size_t copies = 0;  // peers that held the chosen value
  bool local = false;      // the chosen value was also here
  Walk walk;
};
struct PutReport {
  Bytes key;
  bool stored_locally = false;
  bool pending = false;  // nobody has it yet: kept, and delivered when a peer comes
  std::size_t contacted = 0, acknowledged = 0;
  std::vector<PeerId> closest;  // that the walk knows, acknowledged or not
  Walk walk;
};
struct ProvideReport {
  Bytes key;
  bool stored_locally = false;
  bool pending = false;       // nobody was told yet: announced when a peer comes
  std::size_t contacted = 0;  // ADD_PROVIDER has no answer
  std::vector<PeerId> closest;
  Walk walk;
};
struct ProvidersReport {
  Bytes key;
  std::vector<Contact> providers;
  Walk walk;
};
struct FindReport {
  Contact found;
  bool connected = false;
  Walk walk;
};
struct ClosestReport {
  Bytes target;
  std::vector<Contact> closest;
  Walk walk;
};
using KadReport =
    std::variant<GetReport, PutReport, ProvideReport, ProvidersReport, FindReport, ClosestReport>;

}  // namespace kadmesh
