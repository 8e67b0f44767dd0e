// A peer as the routing table holds it.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/address.h"
#include "base/time.h"

namespace kadmesh {

//   (connected) --> provisional --identify names our protocol, or it answered--> server
//                        |                                                          |
//                        +--identify does not, or disconnected--> (out)             |
//                                                    (out) <--failures, no address--+
enum class Standing { provisional, server };
std::string_view name(Standing standing);

struct TableEntry {
  Contact contact;
  Standing standing{};
  bool connected = false;
  Time since;                // in the table
  Time last_answer;          // Time{} when it never answered us
  std::size_t failures = 0;  // in a row
  unsigned bucket = 0;       // common prefix length with us, 0..255
};

}  // namespace kadmesh
