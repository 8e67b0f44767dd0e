#include "kadsim/wires.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kadsim/files.h"
#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRegions = 256;

Result<std::vector<Duration>> milliseconds(const fs::path& scenario, const std::string& name) {
  const fs::path file = scenario.parent_path() / name;
  ASSIGN_OR_RETURN(const std::string text, read_file(file, kMostTableBytes));
  auto values = milliseconds_from_csv(text);
  if (!values) return fail(Errc::invalid, file.string() + ": " + values.error().detail);
  if (values->empty()) return fail(Errc::invalid, file.string() + ": no number in it");
  return values;
}

// The first of `keys` that is there: which kind of thing a table describes.
std::string_view kind(Fields& fields, std::span<const std::string_view> keys) {
  std::string_view found;
  for (const std::string_view key : keys)
    if (fields.has(key) && found.empty()) found = key;
  return found;
}

std::uint32_t thousandths(Fields& fields, std::string_view key, std::uint32_t usual) {
  std::optional<double> number;
  fields.read_number(key, number);
  if (!number) return usual;
  if (!(*number >= 0.05) || !(*number <= 100)) {
    fields.wrong(key, "a number from 0.05 to 100");
    return usual;
  }
  return static_cast<std::uint32_t>(std::lround(*number * 1000));
}

void read_uniform(Fields& fields, Distribution& into) {
  std::vector<std::string> ends;
  fields.read("uniform", ends);
  if (!fields.good()) return;
  if (ends.size() != 2) return fields.wrong("uniform", "two times, like [\"10ms\", \"50ms\"]");
  const auto least = parse_duration(ends[0]), most = parse_duration(ends[1]);
  if (!least || !most) return fields.wrong("uniform", (least ? most : least).error().detail);
  if (*most < *least) return fields.wrong("uniform", "the first is the greater");
  into = Uniform{*least, *most};
}

void read_kind(const fs::path& file, Fields& fields, std::string_view which, Distribution& into) {
  Duration time{};
  if (which == "uniform") return read_uniform(fields, into);
  if (which == "csv") {
    std::string name;
    fields.read("csv", name);
    auto values = milliseconds(file, name);
    if (values)
      into = Measured{*std::move(values)};
    else
      fields.wrong("csv", values.error().detail);
    return;
  }
  fields.read(which, time);
  if (which == "exponential")
    into = Exponential{time};
  else if (which == "weibull")
    into = Weibull{time, thousandths(fields, "shape", 500)};
  else
    into = Lognormal{time, thousandths(fields, "sigma", 500)};
}

// --- latencies between regions
void read_row(Fields& fields, const Value& row, std::size_t wanted, std::vector<Duration>& into) {
  const List* list = row.as<List>();
  if (!list || list->size() != wanted)
    return fields.wrong("one_way", "a list of " + std::to_string(wanted) +
                                       " lists of as many times, one for each region");
  for (const Value& cell : *list) {
    const std::string* text = cell.as<std::string>();
    const auto time = parse_duration(text ? *text : to_toml(cell));
    if (!time) return fields.wrong("one_way", time.error().detail);
    into.push_back(*time);
  }
}

void read_regions(Fields& fields, Wires& into) {
  fields.read("regions", into.regions);
  fields.need("one_way", "one_way = [[\"5ms\", \"40ms\"], [\"40ms\", \"5ms\"]]");
  const Value* rows = fields.value("one_way");
  const std::size_t count = into.regions.size();
  if (!fields.good()) return;
  if (count == 0 || count > kMostRegions) return fields.wrong("regions", "from 1 to 256 names");
  const List* list = rows->as<List>();
  RegionLatency latency;
  if (!list || list->size() != count)
    return fields.wrong("one_way", "a row for each of the " + std::to_string(count) + " regions");
  for (const Value& row : *list) read_row(fields, row, count, latency.one_way.emplace_back());
  std::vector<std::string> shares;
  fields.read("share", shares);
  for (const std::string& text : shares) {
    const auto share = parse_share(text);
    if (!share) return fields.wrong("share", share.error().detail);
    latency.share.push_back(*share);
  }
  if (!shares.empty() && shares.size() != count)
    return fields.wrong("share", "one for each of the " + std::to_string(count) + " regions");
  into.link.latency = std::move(latency);
}

void read_matrix(const fs::path& file, Fields& fields, Wires& into) {
  std::string name;
  fields.read("matrix", name);
  if (!fields.good()) return;
  const auto rtts = milliseconds(file, name);
  if (!rtts) return fields.wrong("matrix", rtts.error().detail);
  auto square = one_way_from_rtts(*rtts);
  if (!square) return fields.wrong("matrix", square.error().detail);
  into.link.latency = MatrixLatency{*std::move(square)};
}

void read_latency(const fs::path& file, Fields& link, Wires& into) {
  const Value* value = link.value("latency");
  const Table* table = value ? value->as<Table>() : nullptr;
  if (table && (find(*table, "regions") || find(*table, "matrix"))) {
    const std::string name = file.string();
    Fields fields(name, *table, "link.latency", value->line);
    if (fields.has("regions"))
      read_regions(fields, into);
    else
      read_matrix(file, fields, into);
    return link.join(fields.done());
  }
  PairLatency pair;
  read_distribution(file, link, "latency", pair.one_way);
  into.link.latency = std::move(pair);
}

constexpr std::array<std::pair<std::string_view, int>, 6> kNats{{{"none", 0},
                                                                 {"full_cone", 1},
                                                                 {"restricted_cone", 2},
                                                                 {"port_restricted_cone", 3},
                                                                 {"symmetric", 4},
                                                                 {"port_preserving", 5}}};

std::optional<NatConfig> nat_of(int kind) {
  switch (kind) {
    case 1:
      return NatConfig::full_cone();
    case 2:
      return NatConfig::restricted_cone();
    case 3:
      return NatConfig::port_restricted_cone();
    case 4:
      return NatConfig::symmetric();
    case 5:
      return NatConfig::port_preserving();
    default:
      return std::nullopt;
  }
}

}  // namespace

void read_distribution(const fs::path& file, Fields& fields, std::string_view key,
                       Distribution& into) {
  const Value* value = fields.value(key);
  if (!value) return;
  const Table* table = value->as<Table>();
  if (!table) {
    Duration time{};
    fields.read(key, time);
    into = Always{time};
    return;
  }
  static constexpr std::array<std::string_view, 5> kKinds{"uniform", "exponential", "weibull",
                                                          "lognormal", "csv"};
  const std::string name = file.string();
  Fields part(name, *table, std::string(key), value->line);
  const std::string_view which = kind(part, kKinds);
  if (which.empty())
    return fields.wrong(
        key, "a time, or a table with one of uniform, exponential, weibull, lognormal, csv");
  read_kind(file, part, which, into);
  fields.join(part.done(which));
}

void read_link(const fs::path& file, Fields& fields, Wires& into) {
  LinkConfig& link = into.link;
  read_latency(file, fields, into);
  fields.read("jitter", link.jitter);
  fields.read_share("loss", link.loss_ppm);
  fields.read_share("syn_loss", link.syn_loss_ppm);
  std::uint64_t segment = link.most_segment, window = link.window;
  fields.read_bytes("most_segment", segment);
  fields.read_bytes("window", window);
  if (window == 0) fields.wrong("window", "at least one byte");
  link.most_segment = static_cast<std::size_t>(segment);
  link.window = static_cast<std::size_t>(window);
  fields.read("silent_nowhere", link.silent_nowhere);
}

void read_addresses(Fields& fields, AddressPlan& into) {
  static constexpr auto kScopes = std::to_array<std::pair<std::string_view, AddressPlan::Scope>>(
      {{"private", AddressPlan::Scope::one_private}, {"public", AddressPlan::Scope::spread}});
  fields.choose("scope", into.scope,
                std::span<const std::pair<std::string_view, AddressPlan::Scope>>(kScopes));
  const auto read = [&](std::string_view key, std::uint32_t& value, std::size_t most) {
    std::size_t count = value;
    fields.read(key, count, 1, most);
    value = static_cast<std::uint32_t>(count);
  };
  read("per_24", into.per_24, 254);
  read("per_16", into.per_16, 256);
  read("per_8", into.per_8, 256);
}

void read_host(Fields& fields, const Wires& wires, HostConfig& into,
               std::optional<NatConfig>& nat) {
  std::uint64_t both = 0;
  fields.read_bandwidth("bandwidth", both);
  if (fields.has("bandwidth")) into.rates = {both, both};
  fields.read_bandwidth("up", into.rates.up);
  fields.read_bandwidth("down", into.rates.down);
  fields.read("connections", into.connections, 0, 1'000'000);
  if (const std::string* region = fields.text("region")) {
    const auto at = std::ranges::find(wires.regions, *region);
    if (at == wires.regions.end())
      fields.wrong("region", "no region of link.latency is called '" + *region + "'");
    else
      into.region = static_cast<std::uint32_t>(at - wires.regions.begin());
  }
  int kind = -1;
  fields.choose("nat", kind, std::span<const std::pair<std::string_view, int>>(kNats));
  if (kind >= 0) nat = nat_of(kind);
}

}  // namespace kadmesh::kadsim
