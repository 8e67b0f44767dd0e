// What a command yields and what happens meanwhile, as values: render.h makes text and JSON of
// them.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/node.h"
#include "node/report.h"

namespace kadmesh::kadnode {

struct IdAnswer {
  PeerId id;
  std::vector<Multiaddr> addrs;  // empty when no node runs
  std::string kad_protocol;
};
struct PingAnswer {
  PeerId peer;
  std::vector<Duration> rtts;
};
struct NetworkAnswer {
  struct Connection {
    ConnectionInfo info;
    std::string agent;  // the peer's words; empty before identify
  };
  PeerId self;
  Now now;
  std::vector<Connection> connections;
  std::vector<TableEntry> table;  // by bucket
  std::vector<TopicView> topics;
  BootstrapStatus bootstrap;
};
struct GetAnswer {
  GetReport report;
  std::string file;  // where the value was written to; empty: nowhere
};
struct SubscribedAnswer {
  std::string topic;
  bool subscribed;
};
struct PublishAnswer {
  std::string topic;
  Receipt receipt;
};
struct StatsAnswer {
  PeerId self;
  Now now;
  Duration up;
  NodeStats node;
  struct Bucket {
    unsigned index;
    std::size_t servers, provisional, connected;
  };
  struct Mesh {
    std::string topic;
    std::size_t peers, subscribers;
  };
  std::vector<Bucket> buckets;  // those that hold anybody
  std::vector<Mesh> meshes;     // by topic
  std::size_t stored_rows, stored_bytes;
};
struct WhyAnswer {
  PeerId peer;
  std::vector<std::string> lines;
};
struct HelpAnswer {
  std::string text;
};
struct QuitAnswer {};

using Answer =
    std::variant<IdAnswer, ConnectReport, NetworkAnswer, PingAnswer, PutReport, GetAnswer,
                 ProvideReport, ProvidersReport, FindReport, ClosestReport, SubscribedAnswer,
                 PublishAnswer, BackfillReport, StatsAnswer, WhyAnswer, HelpAnswer, QuitAnswer>;

// --- events
struct ReadyEvent {
  PeerId id;
  std::vector<Multiaddr> addrs;
  std::string data_dir, kad_protocol;
  std::optional<Multiaddr> metrics{};  // where Prometheus is answered
};
struct IdentifiedEvent {
  PeerId peer;
  std::string agent;
  std::vector<std::string> protocols;
  bool pushed;
};
struct MessageEvent {
  GossipDeliver delivery;
};
struct BootstrapEvent {
  BootstrapStatus status;
};
struct StepEvent {  // of a command that is traced
  WalkStep step;
  Duration since{};  // the command began
};
struct DroppedEvent {  // the reader was too slow for so many events
  std::size_t count;
};
using Event = std::variant<ReadyEvent, PeerConnected, PeerDisconnected, IdentifiedEvent,
                           MessageEvent, BootstrapEvent, StepEvent, DroppedEvent>;

}  // namespace kadmesh::kadnode
