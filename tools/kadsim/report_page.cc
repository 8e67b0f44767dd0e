#include "kadsim/report_page.h"

#include "kadsim/result_json.h"

namespace kadmesh::kadsim {
namespace {

constexpr std::string_view kPlace = "@DATA@";

// Inside <script> the text may not have "</script" or "<!--"; JSON has another way to write a '<'.
std::string inert(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out.append("\\u003c");
    else
      out.push_back(c);
  }
  return out;
}

std::string page(const Json& data) {
  std::string html;
  for (const std::string_view piece : report_template) html.append(piece);
  const std::size_t at = html.find(kPlace);
  // A text that is no UTF-8 came from a file name; it is shown with replacement characters.
  return html.replace(at, kPlace.size(),
                      inert(data.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

Json json_of(const Spread& spread) {
  return {{"least", spread.least}, {"median", spread.median}, {"most", spread.most}};
}

Json json_of(const VariantResult& variant) {
  Json out{{"variant", variant.variant},
           {"passed", variant.passed},
           {"failed", variant.failed},
           {"delivery_us", json_of(variant.delivery_latency)},
           {"delivery_hops", json_of(variant.delivery_hops)},
           {"mesh_degree", json_of(variant.mesh_degree)}};
  out["figures"] = Json::object();
  for (const auto& [name, spread] : variant.figures) out["figures"][name] = json_of(spread);
  out["operations"] = Json::object();
  for (const auto& [kind, ops] : variant.operations)
    out["operations"][kind] = {{"latency_us", json_of(ops.latency)}, {"hops", json_of(ops.hops)}};
  return out;
}

}  // namespace

std::string run_page(const RunResult& result, const PageNote& note) {
  Json data{{"version", kVersion},
            {"about", note.about},
            {"command", note.command},
            {"source", note.source},
            {"run", json_of(result, true)}};
  return page(data);
}

std::string sweep_page(const Sweep& sweep) {
  Json out{{"scenario", sweep.scenario}, {"seeds", seeds_text(sweep)}};
  out["variants"] = Json::array();
  for (const VariantResult& variant : by_variant(sweep))
    out["variants"].push_back(json_of(variant));
  out["failures"] = Json::array();
  for (const RunResult& run : sweep.runs) {
    if (run.passed()) continue;
    out["failures"].push_back(
        {{"seed", run.seed}, {"says", failure_line(run)}, {"command", run_command(sweep, run)}});
  }
  Json data{{"version", kVersion}, {"about", sweep.about}, {"source", sweep.source}};
  data["sweep"] = std::move(out);
  return page(data);
}

}  // namespace kadmesh::kadsim
