#include "kadnode/snapshot.h"

#include "driver/host.h"

namespace kadmesh::kadnode {
namespace {

std::string agent(const Node& node, const PeerId& peer) {
  const auto info = node.info(peer);
  return info ? info->agent : std::string();
}

std::vector<StatsAnswer::Bucket> buckets(const std::vector<TableEntry>& table) {
  std::vector<StatsAnswer::Bucket> all;
  for (const TableEntry& entry : table) {
    if (all.empty() || all.back().index != entry.bucket) all.push_back({entry.bucket, 0, 0, 0});
    ++(entry.standing == Standing::server ? all.back().servers : all.back().provisional);
    all.back().connected += entry.connected;
  }
  return all;
}

std::vector<StatsAnswer::Mesh> meshes(const std::vector<TopicView>& topics) {
  std::vector<StatsAnswer::Mesh> all;
  all.reserve(topics.size());
  for (const TopicView& t : topics) all.push_back({t.topic, t.mesh.size(), t.subscribers.size()});
  return all;
}

}  // namespace

NetworkAnswer network_of(const Host& host) {
  const Node& node = host.node();
  const Now now = host.now();
  NetworkAnswer answer{
      host.id(), now, {}, node.kad().table(), node.gossip().topics(), node.kad().bootstrap()};
  for (const ConnectionInfo& info : node.connections())
    answer.connections.push_back({info, agent(node, info.peer)});
  return answer;
}

StatsAnswer stats_of(const Host& host, Time started) {
  const Now now = host.now();
  const Node& node = host.node();
  return {.self = host.id(),
          .now = now,
          .up = now.mono - started,
          .node = node.stats(),
          .buckets = buckets(node.kad().table()),
          .meshes = meshes(node.gossip().topics()),
          .stored_rows = host.stored_rows(),
          .stored_bytes = host.stored_bytes()};
}

}  // namespace kadmesh::kadnode
