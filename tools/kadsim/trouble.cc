#include "kadsim/trouble.h"

#include "kadsim/files.h"
#include "kadsim/lab.h"
#include "kadsim/scenario.h"

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

void read_times(Fields& fields, Duration end, Duration& from, Duration& until) {
  until = end;
  fields.read("from", from);
  fields.read("until", until);
  if (!fields.good()) return;
  if (until > end) fields.wrong("until", "after the end of the run (duration)");
  if (from >= until) fields.wrong("from", "not before until");
}

void read_trace(const fs::path& scenario, Fields& fields, std::vector<ChurnEvent>& into) {
  const std::string* name = fields.text("trace");
  if (!name) return;
  const fs::path file = scenario.parent_path() / *name;
  const auto text = read_file(file, kMostTableBytes);
  if (!text) return fields.wrong("trace", text.error().detail);
  auto events = churn_from_csv(*text);
  if (!events) return fields.wrong("trace", file.string() + ": " + events.error().detail);
  into = *std::move(events);
}

// Those that are named come as often as they say in relation to each other, the others never.
void read_weights(std::string_view file, Fields& fields, FaultConfig& into) {
  const Table* table = fields.table("weights");
  if (!table) return;
  Fields part(file, *table, "faults.weights", fields.value("weights")->line);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < kFaults; ++i) {
    std::size_t weight = 0;
    part.read(name(static_cast<Fault>(i)), weight, 0, 1000);
    into.weights[i] = static_cast<std::uint32_t>(weight);
    sum += weight;
  }
  fields.join(part.done());
  if (fields.good() && sum == 0) fields.wrong("weights", "none of them ever comes");
}

const Table* table_of(const fs::path& file, const Value& value, std::string_view key,
                      Error& wrong) {
  const Table* table = value.as<Table>();
  if (!table)
    wrong = {Errc::invalid, file.string() + ":" + std::to_string(value.line) + ": " +
                                std::string(key) + ": written [[" + std::string(key) + "]]"};
  return table;
}

std::vector<World::Index> picked(const Lab& lab, const Selector& who, Rng rng) {
  std::vector<NodeIndex> all(lab.scenario().population.count);
  for (NodeIndex node = 0; node < all.size(); ++node) all[node] = node;
  std::vector<World::Index> out;
  for (const NodeIndex node : who.empty() ? all : who.pick(all, rng))
    out.push_back(lab.index(node));
  return out;
}

}  // namespace

Result<ChurnPlan> read_churn(const fs::path& file, const Value& value, const Population& population,
                             Duration end) {
  Error wrong;
  const Table* table = table_of(file, value, "churn", wrong);
  if (!table) return std::unexpected(wrong);
  const std::string name = file.string();
  ChurnPlan plan;
  Fields fields(name, *table, "churn", value.line);
  read_selector(fields, "who", population, Draws::allowed, plan.who);
  read_times(fields, end, plan.from, plan.until);
  read_distribution(file, fields, "session", plan.config.session);
  read_distribution(file, fields, "downtime", plan.config.downtime);
  fields.read_share("orderly", plan.config.orderly_ppm);
  fields.read_share("vanish", plan.config.vanish_ppm);
  bool keep = true;
  fields.read("keep_store", keep);
  plan.config.store = keep ? StoreFate::kept : StoreFate::lost;
  read_trace(file, fields, plan.trace);
  RETURN_IF_ERROR(fields.done("churn"));
  return plan;
}

Result<FaultPlan> read_faults(const fs::path& file, const Value& value,
                              const Population& population, Duration end) {
  Error wrong;
  const Table* table = table_of(file, value, "faults", wrong);
  if (!table) return std::unexpected(wrong);
  const std::string name = file.string();
  FaultPlan plan;
  Fields fields(name, *table, "faults", value.line);
  read_selector(fields, "spared", population, Draws::allowed, plan.spared);
  read_times(fields, end, plan.from, plan.until);
  read_distribution(file, fields, "pause", plan.config.pause);
  read_distribution(file, fields, "lasts", plan.config.lasts);
  read_weights(name, fields, plan.config);
  fields.read_share("store_lost", plan.config.store_lost_ppm);
  fields.read("one_in", plan.config.one_in, 1, 1'000'000);
  RETURN_IF_ERROR(fields.done("faults"));
  return plan;
}

Trouble::Trouble(Lab& lab, const Scenario& scenario, std::uint64_t seed,
                 std::function<void(const std::string&)> watch)
    : lab_(lab), seed_(seed), watch_(std::move(watch)) {
  if (!scenario.churn.empty() || !scenario.faults.empty()) lab.others_make_trouble();
  for (std::size_t i = 0; i < scenario.churn.size(); ++i) begin_churn(scenario.churn[i], i);
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) begin_faults(scenario.faults[i], i);
}

Trouble::~Trouble() = default;

void Trouble::begin_churn(const ChurnPlan& plan, std::size_t number) {
  ChurnConfig config = plan.config;
  config.number = number;
  config.nodes = picked(lab_, plan.who, Rng(derived_key(seed_, "churn", number)));
  World& world = lab_.world();
  std::vector<ChurnEvent> trace;
  for (const ChurnEvent& event : plan.trace)
    if (event.node < lab_.scenario().population.count)
      trace.push_back({event.at, lab_.index(event.node), event.up});
  churn_.push_back(plan.trace.empty()
                       ? std::make_unique<Churn>(world, std::move(config))
                       : std::make_unique<Churn>(world, std::move(trace), config.store));
  Churn& churn = *churn_.back();
  churn.on_leave([this](World::Index node) { lab_.leaves(lab_.number(node)); });
  const Time now = world.now().mono;
  world.at(after(now, plan.from), [&churn] { churn.start(); });
  world.at(after(now, plan.until), [&churn] { churn.stop(); });
}

void Trouble::begin_faults(const FaultPlan& plan, std::size_t number) {
  FaultConfig config = plan.config;
  config.number = number;
  if (!plan.spared.empty())
    config.spared = picked(lab_, plan.spared, Rng(derived_key(seed_, "spared", number)));
  World& world = lab_.world();
  // Adversaries come after the nodes, and are trouble enough.
  for (std::size_t i = 0; i < adversaries(lab_.scenario().gangs); ++i)
    config.spared.push_back(lab_.scenario().population.count + i);
  faults_.push_back(std::make_unique<Faults>(world, std::move(config)));
  Faults& faults = *faults_.back();
  faults.on_fault([this](Time, Fault fault, World::Index node) { note(fault, node); });
  const Time now = world.now().mono;
  world.at(after(now, plan.from), [&faults] { faults.start(); });
  world.at(after(now, plan.until), [&faults] { faults.heal(); });
}

void Trouble::note(Fault fault, World::Index node) {
  const NodeIndex number = lab_.number(node);
  if (fault == Fault::slow || fault == Fault::drift) lab_.slowed(number);
  lab_.catch_up(number);
  if (watch_) watch_("fault: " + std::string(name(fault)) + " n" + std::to_string(node));
}

void Trouble::end() {
  for (const auto& churn : churn_) churn->stop();
  for (const auto& faults : faults_) faults->heal();
}

}  // namespace kadmesh::kadsim
