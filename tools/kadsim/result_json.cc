#include "kadsim/result_json.h"

#include <charconv>

namespace kadmesh::kadsim {
namespace {

Json head(const RunResult& result) {
  Json out{{"version", kVersion}, {"scenario", result.scenario}};
  if (!result.variant.empty()) out["variant"] = result.variant;
  out["seed"] = result.seed;
  out["nodes"] = result.nodes;
  out["duration_ns"] = result.duration.count();
  out["trace_hash"] = hex(result.trace_hash);
  out["events"] = result.events;
  out["passed"] = result.passed();
  if (!result.crash.empty()) out["crash"] = result.crash;
  out["verdicts"] = Json::array();
  for (const Verdict& verdict : result.verdicts) {
    out["verdicts"].push_back(
        {{"says", verdict.says}, {"passed", verdict.passed}, {"detail", verdict.detail}});
    if (!verdict.judged) out["verdicts"].back()["judged"] = false;
  }
  return out;
}

Json counts(const Operations& ops) {
  return {{"started", ops.started}, {"succeeded", ops.succeeded}, {"lost", ops.lost},
          {"exact", ops.exact},     {"compared", ops.compared},   {"failures", ops.failures}};
}

Json full(const Operations& ops) {
  Json out = counts(ops);
  out["latency_us"] = json_of(ops.latency);
  out["hops"] = json_of(ops.hops);
  out["asked"] = json_of(ops.asked);
  return out;
}

Json gossip_counts(const RunResult& result) {
  return {{"published", result.published},
          {"deliveries_due", result.deliveries_due},
          {"deliveries_made", result.deliveries_made},
          {"deliveries", result.deliveries},
          {"delivered_twice", result.delivered_twice},
          {"duplicates", result.duplicates}};
}

Json json_of(const Captured& of) {
  return {{"count", of.count},
          {"requests", of.requests},
          {"servers", of.servers},
          {"theirs", of.theirs},
          {"worst_servers", of.worst_servers},
          {"worst_theirs", of.worst_theirs}};
}

// --- back again. A file that something else wrote throws inside the library; see run_from_json.
Histogram histogram_from(const Json& json) {
  Histogram out;
  for (const Json& bin : json) out.add(bin.at(0), bin.at(1));
  return out;
}

Operations operations_from(const Json& json) {
  Operations out;
  out.started = json.at("started");
  out.succeeded = json.at("succeeded");
  out.lost = json.at("lost");
  out.exact = json.at("exact");
  out.compared = json.at("compared");
  out.failures = json.at("failures").get<std::map<std::string, std::uint64_t>>();
  out.latency = histogram_from(json.at("latency_us"));
  out.hops = histogram_from(json.at("hops"));
  out.asked = histogram_from(json.at("asked"));
  return out;
}

std::uint64_t hash_from(const std::string& text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return out;
}

void read_gossip(const Json& json, RunResult& out) {
  out.published = json.at("published");
  out.deliveries_due = json.at("deliveries_due");
  out.deliveries_made = json.at("deliveries_made");
  out.deliveries = json.at("deliveries");
  out.delivered_twice = json.at("delivered_twice");
  out.duplicates = json.at("duplicates");
  out.delivery_latency = histogram_from(json.at("latency_us"));
  out.delivery_hops = histogram_from(json.at("hops"));
  out.mesh_degree = histogram_from(json.at("mesh_degree"));
}

void read_table(const Json& json, RunResult& out) {
  out.tables = json.at("nodes");
  out.bucket_size = json.at("k");
  out.buckets = json.at("servers").get<std::vector<std::uint64_t>>();
}

void read_adversaries(const Json& json, Captured& out) {
  out = {json.at("count"),  json.at("requests"),      json.at("servers"),
         json.at("theirs"), json.at("worst_servers"), json.at("worst_theirs")};
}

RunResult read_run(const Json& json) {
  RunResult out;
  out.scenario = json.at("scenario");
  out.variant = json.value("variant", "");
  out.seed = json.at("seed");
  out.nodes = json.at("nodes");
  out.duration = Duration(json.at("duration_ns").get<std::int64_t>());
  out.trace_hash = hash_from(json.at("trace_hash"));
  out.events = json.at("events");
  out.crash = json.value("crash", "");
  for (const Json& verdict : json.at("verdicts"))
    out.verdicts.push_back({verdict.at("says"), verdict.at("passed"), verdict.at("detail"),
                            verdict.value("judged", true)});
  for (const auto& [kind, ops] : json.at("operations").items())
    out.operations.emplace(kind, operations_from(ops));
  read_gossip(json.at("gossip"), out);
  out.traffic = json.at("traffic").get<std::map<std::string, std::uint64_t>>();
  read_table(json.at("table"), out);
  if (json.contains("adversaries")) read_adversaries(json.at("adversaries"), out.adversaries);
  return out;
}

}  // namespace

std::string hex(std::uint64_t hash) {
  char text[16];
  const auto [end, error] = std::to_chars(text, text + sizeof text, hash, 16);
  const std::string digits(text, end);
  return std::string(16 - digits.size(), '0') + digits;
}

Json json_of(const Histogram& histogram) {
  Json out = Json::array();
  for (const auto& [value, times] : histogram.bins()) out.push_back({value, times});
  return out;
}

Json json_of(const Series& series) {
  Json times = Json::array(), rows = Json::array();
  for (std::size_t i = 0; i < series.size(); ++i) {
    times.push_back(static_cast<double>(series.time(i).count()) / 1e9);
    rows.push_back(series.row(i));
  }
  return {{"columns", series.columns()}, {"times_s", times}, {"rows", rows}};
}

Json json_of(const RunResult& result, bool with_series) {
  Json out = head(result);
  out["figures"] = figures(result);
  out["operations"] = Json::object();
  for (const auto& [kind, ops] : result.operations) out["operations"][kind] = full(ops);
  Json gossip = gossip_counts(result);
  gossip["latency_us"] = json_of(result.delivery_latency);
  gossip["hops"] = json_of(result.delivery_hops);
  gossip["mesh_degree"] = json_of(result.mesh_degree);
  out["gossip"] = std::move(gossip);
  out["traffic"] = result.traffic;
  out["table"] = {{"nodes", result.tables}, {"k", result.bucket_size}, {"servers", result.buckets}};
  if (result.adversaries.count > 0) out["adversaries"] = json_of(result.adversaries);
  if (with_series) out["series"] = json_of(result.series);
  return out;
}

std::string to_json(const RunResult& result, bool with_series) {
  return json_of(result, with_series).dump();
}

std::string summary_json(const RunResult& result) {
  Json out = head(result);
  out["figures"] = figures(result);
  out["operations"] = Json::object();
  for (const auto& [kind, ops] : result.operations) out["operations"][kind] = counts(ops);
  out["gossip"] = gossip_counts(result);
  out["received_bytes"] = result.traffic;
  return out.dump(2) + "\n";
}

Result<RunResult> run_from_json(std::string_view json) {
  // The library tells of a wrong file only by throwing; nothing of that leaves this function.
  try {
    RunResult run = read_run(Json::parse(json));
    // Every run is judged by some rules: without a verdict it did not come to its end.
    if (run.verdicts.empty() && run.crash.empty())
      return fail(Errc::malformed, "no result of a run: neither a verdict nor a crash");
    return run;
  } catch (const nlohmann::json::exception& error) {
    return fail(Errc::malformed, std::string("no result of a run: ") + error.what());
  }
}

}  // namespace kadmesh::kadsim
