#include "kadsim/expectation.h"

#include <algorithm>
#include <array>

#include "kadsim/quantities.h"
#include "kadsim/stat.h"
#include "kadsim/step.h"

namespace kadmesh::kadsim {
namespace {

struct Reading {
  Fields& fields;
  Expectation& expect;
  const Population& population;
};
using Read = void (*)(const Reading&);

void selector(const Reading& in, std::string_view key, Selector& into, bool needed) {
  if (needed) in.fields.need(key, std::string(key) + " = \"all\"");
  read_selector(in.fields, key, in.population, Draws::refused, into);
}

void bounds(const Reading& in) {
  in.fields.read_number("at_least", in.expect.at_least);
  in.fields.read_number("at_most", in.expect.at_most);
  in.fields.read_number("equals", in.expect.equals);
  if (in.fields.good() && !in.expect.at_least && !in.expect.at_most && !in.expect.equals)
    in.fields.wrong("at_least", "missing; it takes at_least, at_most or equals");
}

void topic(const Reading& in) {
  in.fields.need("topic", "topic = \"news\"");
  in.fields.read("topic", in.expect.topic);
}

void percentile(const Reading& in) {
  in.fields.need("of", "of = \"get\"");
  in.fields.read("of", in.expect.of);
  in.fields.read("percentile", in.expect.percentile, 1, 100);
}

void read_delivered(const Reading& in) {
  in.expect.share = kWhole;
  in.fields.read("of", in.expect.of);
  in.fields.read("topic", in.expect.topic);
  in.fields.read_some("within", in.expect.within);
  in.fields.read_share("share", in.expect.share);
  in.fields.read_share("below", in.expect.below);
  if (in.fields.has("below") && (in.fields.has("share") || in.fields.has("equals")))
    in.fields.wrong("below", "besides share or equals: it says that messages are missing");
  in.fields.read_share("due_at_least", in.expect.due_at_least);
  in.fields.read_number("equals", in.expect.equals);
  selector(in, "who", in.expect.who, false);
}
void read_result(const Reading& in) {
  in.fields.need("of", "of = \"the name that a step has by as\"");
  in.fields.read("of", in.expect.of);
  static constexpr auto kEnds =
      std::to_array<std::pair<std::string_view, std::string_view>>({{"ok", "ok"},
                                                                    {"closed", "closed"},
                                                                    {"reset", "reset"},
                                                                    {"timeout", "timeout"},
                                                                    {"cancelled", "cancelled"},
                                                                    {"refused", "refused"},
                                                                    {"malformed", "malformed"},
                                                                    {"protocol", "protocol"},
                                                                    {"auth", "auth"},
                                                                    {"limit", "limit"},
                                                                    {"unsupported", "unsupported"},
                                                                    {"not_found", "not_found"},
                                                                    {"no_peers", "no_peers"},
                                                                    {"invalid", "invalid"},
                                                                    {"unreachable", "unreachable"},
                                                                    {"io", "io"},
                                                                    {"any", "any"}});
  std::string_view is = "ok";
  in.fields.choose("is", is, std::span<const std::pair<std::string_view, std::string_view>>(kEnds));
  in.expect.is = is;
  in.fields.read_some("within", in.expect.within);
  in.fields.read_some("no_sooner", in.expect.no_sooner);
  in.fields.read_some("value", in.expect.value);
  in.fields.read_some("pending", in.expect.pending);
  // Of a put: peers that took it. Of find_providers: providers.
  in.fields.read_number("at_least", in.expect.at_least);
  in.fields.read_number("equals", in.expect.equals);
}
void read_success(const Reading& in) {
  in.fields.need("of", "of = \"get\"");
  in.fields.read("of", in.expect.of);
  in.fields.need("share", "share = \"99%\"");
  in.fields.read_share("share", in.expect.share);
}
void read_latency(const Reading& in) {
  percentile(in);
  in.fields.read("than", in.expect.than);
  if (in.fields.has("than"))
    in.fields.read_number("times", in.expect.times);
  else
    in.fields.need("within", "within = \"2s\"");
  in.fields.read_some("within", in.expect.within);
}
void read_hops(const Reading& in) {
  percentile(in);
  in.fields.need("at_most", "at_most = 8");
  in.fields.read_number("at_most", in.expect.at_most);
}
void read_mesh(const Reading& in) {
  topic(in);
  selector(in, "who", in.expect.who, false);
  bounds(in);
}
void read_pair(const Reading& in) {
  selector(in, "who", in.expect.who, true);
  selector(in, "whom", in.expect.whom, true);
}
void read_captured(const Reading& in) {
  selector(in, "who", in.expect.who, true);
  bounds(in);
}
void read_in_mesh(const Reading& in) {
  read_pair(in);
  topic(in);
}
void read_stat(const Reading& in) {
  in.fields.need("stat", "stat = \"gossip.delivered\"");
  in.fields.read("stat", in.expect.stat);
  if (in.fields.good() && !find_stat(in.expect.stat)) {
    std::string names;
    for (const Stat& stat : stats()) names.append(names.empty() ? "" : ", ").append(stat.name);
    in.fields.wrong("stat", "'" + in.expect.stat + "' is not one of " + names);
  }
  selector(in, "who", in.expect.who, true);
  in.fields.read_some("baseline", in.expect.baseline);
  if (in.expect.baseline) {
    in.fields.read_number("at_most", in.expect.at_most);
    in.fields.read_number("at_least", in.expect.at_least);
    if (in.fields.good() && !in.expect.at_least && !in.expect.at_most)
      in.fields.wrong("baseline", "without at_least or at_most");
  } else {
    bounds(in);
  }
}

struct WhatInfo {
  std::string_view name;
  What what;
  Read read;
};
constexpr std::array kAll{
    WhatInfo{"delivered", What::delivered, read_delivered},
    WhatInfo{"result", What::result, read_result},
    WhatInfo{"success", What::success, read_success},
    WhatInfo{"exact", What::exact, read_success},
    WhatInfo{"latency", What::latency, read_latency},
    WhatInfo{"hops", What::hops, read_hops},
    WhatInfo{"mesh", What::mesh, read_mesh},
    WhatInfo{"knows", What::knows, read_pair},
    WhatInfo{"connected", What::connected, read_pair},
    WhatInfo{"in_mesh", What::in_mesh, read_in_mesh},
    WhatInfo{"captured", What::captured, read_captured},
    WhatInfo{"stat", What::stat, read_stat},
};

std::span<const std::pair<std::string_view, What>> names() {
  static constexpr auto kNames = [] {
    std::array<std::pair<std::string_view, What>, kAll.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {kAll[i].name, kAll[i].what};
    return out;
  }();
  return kNames;
}

void read_times(Fields& fields, Expectation& expect) {
  fields.read_some("at", expect.at);
  fields.read_some("by", expect.by);
  fields.read("from", expect.from);
  if (!fields.good()) return;
  if (expect.at && expect.by) fields.wrong("by", "besides at: one of them says when");
  if (fields.has("from") && !expect.by) fields.wrong("from", "without by = \"5s\"");
  if (expect.by && expect.from > *expect.by) fields.wrong("from", "later than by");
  if (expect.baseline && expect.at && *expect.baseline > *expect.at)
    fields.wrong("baseline", "later than at");
}

}  // namespace

std::string_view name(What what) { return std::ranges::find(kAll, what, &WhatInfo::what)->name; }

Result<Expectation> read_expectation(std::string_view file, const Value& value,
                                     const Population& population) {
  const Table* table = value.as<Table>();
  if (!table)
    return fail(Errc::invalid, std::string(file) + ":" + std::to_string(value.line) +
                                   ": expect: expectations are written [[expect]]");
  Expectation expect;
  Fields fields(file, *table, "expect", value.line);
  fields.need("what", "what = \"delivered\"");
  fields.choose("what", expect.what, names());
  if (!fields.good()) return std::unexpected(fields.done().error());
  fields.read("says", expect.says);
  const auto info = std::ranges::find(kAll, expect.what, &WhatInfo::what);
  info->read({fields, expect, population});
  read_times(fields, expect);
  RETURN_IF_ERROR(fields.done(info->name));
  if (expect.says.empty()) expect.says = to_toml(value);
  expect.line = value.line;
  return expect;
}

}  // namespace kadmesh::kadsim
