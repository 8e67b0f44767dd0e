#include "kadsim/scenario.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

bool word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

class Reader {
 public:
  Reader(const Table& root, const fs::path& file)
      : file_(file), name_(file.string()), top_(name_, root, "", 1) {}

  Result<Scenario> read() {
    read_head();
    if (top_.good()) read_network();
    if (top_.good()) read_happenings();
    RETURN_IF_ERROR(top_.done("a scenario"));
    return std::move(out_);
  }

 private:
  void read_head() {
    top_.need("name", "name = \"trio\"");
    top_.read("name", out_.name);
    if (top_.good() && !word(out_.name))
      top_.wrong("name", "letters, digits, - and _, at most 64: it names the results");
    top_.read("about", out_.about);
    top_.need("nodes", "nodes = 20");
    top_.read("nodes", out_.population.count, 1, kMostNodes);
    top_.read("names", out_.population.names);
    check_names();
    top_.need("duration", "duration = \"60s\"");
    top_.read("duration", out_.duration);
    if (top_.good() && out_.duration <= Duration::zero())
      top_.wrong("duration", "longer than nothing");
    // Two hundred points make a line; fewer moments than that cost nothing to look at.
    out_.sample = std::max<Duration>(out_.duration / 200, 100ms);
    top_.read("sample", out_.sample);
    if (top_.good() && (out_.sample <= Duration::zero() ||
                        out_.duration / out_.sample > static_cast<std::int64_t>(kMostSamples)))
      top_.wrong("sample", "at most " + std::to_string(kMostSamples) + " of them in the duration");
    // A look costs as much as some hundred turns: large networks are looked at less often.
    out_.check_every = std::max<std::size_t>(16, out_.population.count);
    top_.read("check_every", out_.check_every, 0, 1'000'000'000);
    static constexpr auto kLevels =
        std::to_array<std::pair<std::string_view, bool>>({{"full", false}, {"message", true}});
    top_.choose("fidelity", out_.message_level,
                std::span<const std::pair<std::string_view, bool>>(kLevels));
  }

  void check_names() {
    const Population& population = out_.population;
    std::set<std::string_view> seen;
    for (const std::string& name : population.names) {
      if (!word(name) || (name[0] >= '0' && name[0] <= '9') || name == "all")
        return top_.wrong(
            "names",
            "'" + name + "': a name has letters, digits, - and _, and begins with a letter");
      if (!seen.insert(name).second) return top_.wrong("names", "'" + name + "' is there twice");
    }
  }

  // A table of its own: `read` its keys.
  template <class Read>
  void section(std::string_view key, Read read) {
    const Table* table = top_.table(key);
    if (!table) return;
    Fields fields(name_, *table, std::string(key), top_.value(key)->line);
    read(fields);
    top_.join(fields.done());
  }

  void read_network() {
    section("link", [&](Fields& fields) { read_link(file_, fields, out_.wires); });
    section("addresses", [&](Fields& fields) { read_addresses(fields, out_.wires.addresses); });
    section("host", [&](Fields& fields) { read_host(fields, out_.wires, out_.host, out_.nat); });
    if (out_.population.count > capacity(out_.wires.addresses))
      top_.wrong("addresses",
                 "room for " + std::to_string(capacity(out_.wires.addresses)) + " nodes only");
    out_.config = lab_config();
    read_settings(name_, top_, out_.config);
    section("join", [&](Fields& fields) { read_join(fields); });
  }

  void selector(Fields& fields, std::string_view key, Selector& into) {
    read_selector(fields, key, out_.population, Draws::refused, into);
  }

  void read_join(Fields& fields) {
    selector(fields, "seeds", out_.join.seeds);
    selector(fields, "late", out_.join.late);
    fields.read("connect", out_.join.connect, 0, 10'000);
    fields.read("spread", out_.join.spread);
    fields.read("shuffled", out_.join.shuffled);
  }

  void read_role(const Value& value) {
    const Table* table = value.as<Table>();
    if (!table) return top_.wrong("role", "roles are written [[role]]");
    Fields fields(name_, *table, "role", value.line);
    Role role{{}, out_.config, out_.host, true, out_.nat};
    fields.need("who", "who = \"last 10%\"");
    selector(fields, "who", role.who);
    fields.read("listens", role.listens);
    read_settings(name_, fields, role.config);
    if (const Table* host = fields.table("host")) {
      Fields part(name_, *host, "role.host", fields.value("host")->line);
      read_host(part, out_.wires, role.host, role.nat);
      fields.join(part.done());
    }
    top_.join(fields.done());
    out_.roles.push_back(std::move(role));
  }

  template <class Read>
  void each(std::string_view key, Read read) {
    const Value* value = top_.value(key);
    if (!value) return;
    const List* list = value->as<List>();
    if (!list) return top_.wrong(key, "written [[" + std::string(key) + "]]");
    for (const Value& item : *list)
      if (top_.good()) read(item);
  }

  template <class T>
  void take(Result<T> read, std::vector<T>& into) {
    if (read)
      into.push_back(*std::move(read));
    else
      top_.join(std::unexpected(std::move(read).error()));
  }

  void read_happenings() {
    each("role", [&](const Value& value) { read_role(value); });
    each("step", [&](const Value& value) {
      take(read_step(name_, value, out_.population), out_.steps);
      if (top_.good()) check_time("step.at", value.line, out_.steps.back().at);
    });
    each("churn", [&](const Value& value) {
      take(read_churn(file_, value, out_.population, out_.duration), out_.churn);
    });
    each("faults", [&](const Value& value) {
      take(read_faults(file_, value, out_.population, out_.duration), out_.faults);
    });
    each("adversary", [&](const Value& value) {
      take(read_gang(name_, value, out_.population, out_.wires.addresses, out_.duration),
           out_.gangs);
    });
    if (top_.good()) give_networks();
    if (top_.good()) check_room();
    each("expect", [&](const Value& value) {
      take(read_expectation(name_, value, out_.population), out_.expectations);
      if (top_.good()) check_expectation(out_.expectations.back());
    });
  }

  // No two gangs have one of them in common.
  void give_networks() {
    if (owned_networks(out_.gangs) > kMostOwnedNetworks)
      return top_.wrong("adversary",
                        "networks: for all together at most " + std::to_string(kMostOwnedNetworks));
    std::size_t next = 0;
    for (GangPlan& gang : out_.gangs)
      gang.first_network = std::exchange(next, next + gang.networks);
  }

  void check_room() {
    const bool owned = owned_networks(out_.gangs) > 0;
    const AddressPlan& plan = out_.wires.addresses;
    const std::uint64_t room = owned ? capacity_beside_owned(plan) : capacity(plan);
    if (planned_hosts(out_.population.count, out_.gangs) > room)
      top_.wrong("addresses", "room for " + std::to_string(room) + " nodes and adversaries only" +
                                  (owned ? ", beside networks that are somebody's" : ""));
  }

  void refuse(unsigned line, const std::string& what) {
    top_.join(fail(Errc::invalid, name_ + ":" + std::to_string(line) + ": " + what));
  }

  void check_time(const std::string& key, unsigned line, Duration time) {
    if (time > out_.duration) refuse(line, key + ": after the end of the run (duration)");
  }

  void check_expectation(const Expectation& expect) {
    if (expect.at) check_time("expect.at", expect.line, *expect.at);
    if (expect.by) check_time("expect.by", expect.line, *expect.by);
    for (std::size_t i = 0; i + 1 < out_.expectations.size(); ++i)
      if (out_.expectations[i].says == expect.says)
        return refuse(expect.line,
                      "expect.says: two of them say this; each needs a name of its own");
    if (!expect.of.empty()) check_reference(expect, "of", expect.of);
    if (!expect.than.empty()) check_reference(expect, "than", expect.than);
  }

  // What `of` and `than` name: the label of a step, a verb, or a topic.
  void check_reference(const Expectation& expect, std::string_view key, const std::string& wanted) {
    std::set<std::string> names;
    const bool label_only = expect.what == What::result;
    if (!label_only)
      for (const auto& [name, verb] : verbs()) names.emplace(name);
    if (expect.what == What::latency || expect.what == What::hops) names.insert("delivery");
    if (expect.what == What::delivered) names.clear();
    for (const Step& step : out_.steps) {
      if (!step.label.empty()) names.insert(step.label);
      if (!step.topic.empty() && expect.what == What::delivered) names.insert(step.topic);
    }
    if (names.contains(wanted)) return;
    std::string all;
    for (const std::string& name : names) all.append(all.empty() ? "" : ", ").append(name);
    refuse(expect.line,
           "expect." + std::string(key) + ": nothing is called '" + wanted +
               (all.empty() ? "'; a step gets a name by as = \"…\"" : "'; there are " + all));
  }

  const fs::path& file_;
  std::string name_;
  Fields top_;
  Scenario out_;
};

}  // namespace

Result<Scenario> read_scenario(const Table& root, const fs::path& file) {
  return Reader(root, file).read();
}

}  // namespace kadmesh::kadsim
