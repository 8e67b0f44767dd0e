// The network's events in the calendar. Included by its sources only.
//
//   which: an end (also the way that begins there), or a host for the two of the rates
//   what:  life of the connection's slot << 32 | a detail
#pragma once

#include "sim/network.h"

namespace kadmesh {

enum class Network::Kind : std::uint32_t {
  // of the kernel and the wires
  syn = kFirstKind,  // is sent; detail: which attempt
  syn_arrives,       // the same
  syn_ack_arrives,   // the same
  ack_arrives,
  landing,  // the first of what is flying
  credit,   // detail: how much the other side has read
  reset_arrives,
  give_up,
  flush_deadline,
  up_served,  // detail: bytes
  down_served,
  // for processes
  first_for_process,
  tell_dialed = first_for_process,
  tell_failed,  // detail: cause
  tell_accepted,
  tell_written,
  tell_closed,
  deliver,
};

}  // namespace kadmesh
