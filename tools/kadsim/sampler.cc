#include "kadsim/sampler.h"

#include <algorithm>

namespace kadmesh::kadsim {
namespace {

// Mesh sizes of all topics that the nodes have joined.
Histogram mesh_degrees(const Lab& lab) {
  Histogram out;
  for (const NodeIndex node : lab.ready())
    for (const TopicView& topic : lab.node(node).gossip().topics())
      if (topic.subscribed) out.add(topic.mesh.size());
  return out;
}

void count_tables(const Lab& lab, RunResult& result) {
  for (const NodeIndex node : lab.ready()) {
    ++result.tables;
    for (const TableEntry& entry : lab.node(node).kad().table()) {
      if (entry.standing != Standing::server) continue;
      if (result.buckets.size() <= entry.bucket) result.buckets.resize(entry.bucket + 1);
      ++result.buckets[entry.bucket];
    }
  }
}

// Whoever is no node is an adversary: there is nobody else.
void count_captured(const Lab& lab, Captured& out) {
  if (out.count == 0) return;
  for (const NodeIndex node : lab.ready()) {
    const auto [servers, theirs] = lab.captured(node);
    out.servers += servers;
    out.theirs += theirs;
    if (theirs * out.worst_servers < out.worst_theirs * servers || servers == 0) continue;
    out.worst_servers = servers;
    out.worst_theirs = theirs;
  }
}

// What is not of a core's messages is everything that carries them.
std::map<std::string, std::uint64_t> traffic(const Heard& heard, std::uint64_t all) {
  const std::uint64_t messages = heard.kad_requests + heard.kad_answers + heard.gossip;
  return {{"kad requests", heard.kad_requests},
          {"kad answers", heard.kad_answers},
          {"gossip", heard.gossip},
          {"all the rest", all - std::min(all, messages)}};
}

}  // namespace

Sampler::Sampler(const Lab& lab)
    : lab_(lab),
      series_({"running", "peers", "table_servers", "mesh_least", "mesh_mean", "mesh_most",
               "published", "delivered", "duplicates", "operations_done", "operations_ok", "bytes",
               "events"}) {}

void Sampler::sample() {
  double running = 0, peers = 0, servers = 0;
  for (const NodeIndex node : lab_.ready()) {
    // Whoever is connected is a peer of gossip's, which counts them without looking.
    peers += static_cast<double>(lab_.node(node).gossip().stats().peers);
    servers += static_cast<double>(lab_.node(node).kad().stats().table_servers);
    ++running;
  }
  const Histogram mesh = mesh_degrees(lab_);
  const double all = std::max(running, 1.0);
  series_.add(
      lab_.now(),
      {running, peers / all, servers / all, static_cast<double>(mesh.least()), mesh.mean(),
       static_cast<double>(mesh.most()), static_cast<double>(lab_.messages().count()),
       static_cast<double>(lab_.messages().deliveries()),
       static_cast<double>(lab_.counters().duplicates), static_cast<double>(lab_.ledger().done()),
       static_cast<double>(lab_.ledger().succeeded()),
       static_cast<double>(lab_.world().network().bytes()),
       static_cast<double>(lab_.world().events())});
}

void Sampler::finish(RunResult& result) {
  const Messages& messages = lab_.messages();
  result.operations = lab_.ledger().totals();
  const auto all = messages.judge({}, lab_.scenario().population);
  result.published = messages.count();
  result.deliveries_due = all.due;
  result.deliveries_made = all.got;
  result.deliveries = messages.deliveries();
  result.delivered_twice = messages.delivered_twice();
  const Lab::Counters counters = lab_.counters();
  result.duplicates = counters.duplicates;
  result.traffic = traffic(counters.heard, lab_.world().network().bytes());
  result.delivery_latency = messages.latency();
  result.delivery_hops = messages.hops();
  result.mesh_degree = mesh_degrees(lab_);
  result.bucket_size = lab_.scenario().config.kad.k;
  count_tables(lab_, result);
  count_captured(lab_, result.adversaries);
  result.series = std::move(series_);
}

}  // namespace kadmesh::kadsim
