// What Kademlia wants done, and the names by which it is answered.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/address.h"
#include "base/time.h"
#include "kad/report.h"
#include "kad/walk_step.h"
#include "store/store.h"

namespace kadmesh {

enum class KadOp : std::uint64_t {};  // one operation
enum class KadRequestId : std::uint64_t {};
enum class KadInboundId : std::uint64_t {};
enum class KadStoreId : std::uint64_t {};

// Send `message` (unframed) on a stream of KadConfig::protocol, dialing `to.addrs` when there is
// no connection. Answered by on_reply or on_request_failed, exactly once, by `deadline`; a reply of
// more than kMostReply bytes (kad/params.h) is a failure.
struct KadRequest {
  KadRequestId id;
  Contact to;
  Bytes message;
  bool expects_reply;
  Time deadline;
};
struct KadCancel {  // withdraw it; no answer will be listened to
  KadRequestId id;
};
struct KadReply {  // to one inbound request; no message: none is due (ADD_PROVIDER)
  KadInboundId id;
  std::optional<Bytes> message;
};
struct KadRefuse {  // reset the stream of an inbound request
  KadInboundId id;
  Error why;
};
struct KadStore {  // answered by on_stored
  KadStoreId id;
  StoreRequest request;
};
struct KadDial {  // reach a seed; answered by on_seed_dialed, exactly once, by `deadline`
  Multiaddr seed;
  Time deadline;
};
struct KadProvider {  // found on the way, before the operation is done; each once
  KadOp op;
  Contact provider;
};
struct KadDone {  // exactly once for every operation
  KadOp op;
  Result<KadReport> report;
};
// A step of an operation that is traced; all of them come before its KadDone.
struct KadStep {
  KadOp op;
  WalkStep step;
};
// The peer entered or left the table as a server and is, or was, one of those that are to be kept
// (kept_connections.h): the node keeps its connection meanwhile.
struct KadHold {
  PeerId peer;
  bool hold;
};
using KadAction = std::variant<KadRequest, KadCancel, KadReply, KadRefuse, KadStore, KadDial,
                               KadProvider, KadDone, KadHold, KadStep>;

}  // namespace kadmesh
