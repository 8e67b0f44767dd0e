// What a node tells its users: how operations ended, who came and went, what arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gossip/backfill.h"
#include "gossip/gossip.h"
#include "kad/kad.h"
#include "transport/peer_link.h"

namespace kadmesh {

// One user operation, across all kinds.
enum class OpId : std::uint64_t {};
enum class ListenId : std::uint64_t {};

// --- results of operations
struct ConnectReport {
  PeerId peer;
  ConnId conn;
  Multiaddr remote;
  bool already = false;  // it was connected before
};
struct PingReport {
  PeerId peer;
  Duration rtt;
};
struct StreamReport {
  StreamKey key;
  PeerId peer;
  std::string protocol;
};
struct ReadyReport {
  std::size_t live;  // kad-capable peers that are connected
};
using OpReport =
    std::variant<ConnectReport, PingReport, StreamReport, KadReport, ReadyReport, BackfillReport>;

// --- reports: what users see
struct OpDone {  // exactly once for every operation
  OpId op;
  Result<OpReport> result;
};
struct ProviderFound {  // while find_providers runs
  OpId op;
  Contact provider;
};
struct StepTaken {  // of an operation of the DHT that is traced; before its OpDone
  OpId op;
  WalkStep step;
};
struct PeerConnected {
  PeerId peer;
  Multiaddr remote;
  bool opened_by_us;
};
struct PeerDisconnected {
  PeerId peer;
  Error cause;
};
struct PeerIdentified {  // first time, and after every push
  PeerId peer;
  bool pushed;
};
struct MessageDelivered {
  GossipDeliver delivery;
};
struct MessageToValidate {  // manual validation: answer with verdict()
  GossipValidate validation;
};
struct PartsArrived {
  GossipPart parts;
};
struct PartsWanted {  // at a heartbeat: send_partial() to those peers
  GossipOffer offer;
};
struct MessageToKeep {  // Keep::by_application: for those who come later
  GossipKeep message;
};
struct GossipTraced {  // with GossipConfig::trace
  WallTime when;
  TraceEvent event;
};
struct BackfillWanted {  // Keep::by_application: answer with tell_backfill()
  BackfillAsked question;
};
struct StreamIncoming {  // of a protocol that serve() named
  StreamKey key;
  PeerId peer;
  std::string protocol;
};
// Of user streams.
using StreamEvent = std::variant<StreamReadable, StreamWritable, StreamFinished, StreamReset>;
struct BootstrapChanged {
  BootstrapStatus status;
};
struct Listening {  // addresses as expanded by the driver, real ports
  ListenId id;
  std::vector<Multiaddr> addrs;
};
struct ListenFailed {
  ListenId id;
  Error cause;
};
// Something refused, dropped or broken, with its typed cause; for logs.
struct Notice {
  enum class Level { debug, info, warning } level;
  std::string_view area;  // "kad", "gossip", "identify", "store", "driver"
  std::optional<PeerId> peer;
  Error what;
};
using Report = std::variant<OpDone, ProviderFound, PeerConnected, PeerDisconnected, PeerIdentified,
                            MessageDelivered, MessageToValidate, StreamIncoming, StreamEvent,
                            BootstrapChanged, Listening, ListenFailed, Notice, StepTaken,
                            PartsArrived, PartsWanted, MessageToKeep, BackfillWanted, GossipTraced>;

}  // namespace kadmesh
