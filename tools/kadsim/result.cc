#include "kadsim/result.h"

#include <algorithm>
#include <numeric>

namespace kadmesh::kadsim {
namespace {

using Figures = std::map<std::string, double>;

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double ms(std::uint64_t us) { return static_cast<double>(us) / 1000; }

void add_latency(Figures& out, const std::string& name, const Histogram& latency) {
  if (latency.count() == 0) return;
  for (const unsigned percent : {50U, 90U, 95U, 99U})
    out[name + "_p" + std::to_string(percent) + "_ms"] = ms(latency.percentile(percent));
  out[name + "_max_ms"] = ms(latency.most());
}

void add_operations(Figures& out, const RunResult& result) {
  for (const auto& [kind, ops] : result.operations) {
    if (ops.started > ops.lost)
      out[kind + "_success"] = ratio(ops.succeeded, ops.started - ops.lost);
    if (ops.compared > 0) out[kind + "_exact"] = ratio(ops.exact, ops.compared);
    add_latency(out, kind, ops.latency);
    if (ops.hops.count() > 0) out[kind + "_hops_mean"] = ops.hops.mean();
    if (ops.asked.count() > 0) out[kind + "_asked_mean"] = ops.asked.mean();
  }
}

void add_gossip(Figures& out, const RunResult& result) {
  if (result.published == 0) return;
  if (result.deliveries_due > 0)
    out["delivered_share"] = ratio(result.deliveries_made, result.deliveries_due);
  add_latency(out, "delivery", result.delivery_latency);
  if (result.delivery_hops.count() > 0) out["delivery_hops_mean"] = result.delivery_hops.mean();
  if (result.deliveries > 0)
    out["duplicates_per_delivery"] = ratio(result.duplicates, result.deliveries);
}

void add_adversaries(Figures& out, const Captured& of) {
  if (of.count == 0) return;
  out["adversary_requests"] = static_cast<double>(of.requests);
  out["adversary_share_of_tables"] = ratio(of.theirs, of.servers);
  out["adversary_share_of_worst_table"] = ratio(of.worst_theirs, of.worst_servers);
}

}  // namespace

bool RunResult::passed() const {
  return crash.empty() && std::ranges::all_of(verdicts, &Verdict::passed);
}

std::string RunResult::failure() const {
  if (!crash.empty()) return crash;
  std::string vacuous;
  for (const Verdict& verdict : verdicts) {
    if (verdict.passed) continue;
    if (verdict.judged) return verdict.says;
    if (vacuous.empty()) vacuous = verdict.says;
  }
  return vacuous;
}

bool RunResult::fails_as(const std::string& failure) const {
  if (!crash.empty()) return crash == failure;
  return std::ranges::any_of(verdicts, [&](const Verdict& verdict) {
    return !verdict.passed && verdict.judged && verdict.says == failure;
  });
}

Figures figures(const RunResult& result) {
  Figures out;
  add_operations(out, result);
  add_gossip(out, result);
  add_adversaries(out, result.adversaries);
  if (result.mesh_degree.count() > 0) out["mesh_degree_mean"] = result.mesh_degree.mean();
  if (result.tables > 0)
    out["table_servers_mean"] =
        ratio(std::accumulate(result.buckets.begin(), result.buckets.end(), std::uint64_t{0}),
              result.tables);
  std::uint64_t bytes = 0;
  for (const auto& [protocol, count] : result.traffic) bytes += count;
  if (bytes > 0) out["received_bytes"] = static_cast<double>(bytes);
  out["events"] = static_cast<double>(result.events);
  return out;
}

}  // namespace kadmesh::kadsim
