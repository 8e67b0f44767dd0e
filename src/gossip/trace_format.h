// Events of a router as go-libp2p-pubsub's tracers write them, for tools that read those:
// tracestat, trace2json and whatever takes the JSON (go-libp2p-pubsub tracer.go, pb/trace.proto).
#pragma once

#include <string>

#include "base/time.h"
#include "gossip/trace_event.h"

namespace kadmesh {

// One event that happened at `node`, behind its length as a varint (PBTracer).
Bytes trace_protobuf(const PeerId& node, WallTime when, const TraceEvent& event);
// One line (JSONTracer). Ids of peers and messages are base64; the type is a number; time is in
// nanoseconds since the Unix epoch. Bytes of a topic that are no UTF-8 become U+FFFD, as in go.
std::string trace_json(const PeerId& node, WallTime when, const TraceEvent& event);

}  // namespace kadmesh
