#include "gossip/stats.h"

namespace kadmesh {

const char* text(Refusal why) {
  switch (why) {
    case Refusal::unreadable:
      return "malformed message";
    case Refusal::signature:
      return "invalid signature";
    case Refusal::too_large:
      return "message too large";
    case Refusal::no_room:
      return "validation queue full";
    case Refusal::old_number:
    case Refusal::ignored:
      return "validation ignored";
    case Refusal::rejected:
      return "validation failed";
  }
  return "";
}

bool is_fault(Refusal why) {
  return why == Refusal::unreadable || why == Refusal::signature || why == Refusal::too_large ||
         why == Refusal::rejected;
}

const char* text(RpcPart part) {
  constexpr std::array<const char*, kRpcParts> kNames{
      "publish", "subscribe", "unsubscribe", "graft", "prune", "ihave", "iwant", "idontwant"};
  return kNames[static_cast<std::size_t>(part)];
}

const char* text(Penalty penalty) {
  constexpr std::array<const char*, kPenalties> kNames{
      "graft_backoff", "broken_promise", "extensions", "invalid_message", "slow_peer"};
  return kNames[static_cast<std::size_t>(penalty)];
}

}  // namespace kadmesh
