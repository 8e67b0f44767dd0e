#include "kadsim/gang.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kadsim/lab.h"
#include "kadsim/scenario.h"
#include "kadsim/wires.h"
#include "sim/luck.h"

namespace kadmesh::kadsim {
namespace {

void read_conduct(Fields& fields, std::optional<Conduct>& into) {
  if (!fields.has("does")) return;
  static constexpr auto kConducts =
      std::to_array<std::pair<std::string_view, Conduct>>({{"silent", Conduct::silent},
                                                           {"refuse", Conduct::refuse},
                                                           {"lie", Conduct::lie},
                                                           {"drop", Conduct::drop}});
  fields.choose("does", into.emplace(),
                std::span<const std::pair<std::string_view, Conduct>>(kConducts));
}

void read_gossip(std::string_view file, Fields& fields, const Population& population, Duration end,
                 std::optional<GossipPlan>& into) {
  const Table* table = fields.table("gossip");
  if (!table) return;
  Fields part(file, *table, "adversary.gossip", fields.value("gossip")->line);
  GossipPlan& plan = into.emplace();
  part.read_share("drops", plan.drops_ppm);
  read_selector(part, "censors", population, Draws::refused, plan.censors);
  part.read("turns", plan.turns);
  if (part.good() && plan.turns > end) part.wrong("turns", "after the end of the run (duration)");
  if (part.has("regraft"))
    read_distribution(std::filesystem::path(file), part, "regraft", plan.regraft.emplace());
  part.read("promises", plan.promises, 0, kMostPromises);
  fields.join(part.done("gossip"));
}

void read_part(std::string_view file, Fields& fields, const Population& population, Duration end,
               GangPlan& plan) {
  read_conduct(fields, plan.conduct);
  read_gossip(file, fields, population, end, plan.gossip);
  // They do something, in one of the two.
  if (!plan.gossip) fields.need("does", "does = \"silent\"");
}

void read_contact(Fields& fields, const Population& population, GangPlan& plan) {
  plan.contact = *Selector::parse({"all"}, population);
  read_selector(fields, "contact", population, Draws::refused, plan.contact);
  fields.read("connections", plan.connections, 1, population.count);
  fields.read("again", plan.again);
  if (fields.good() && plan.again < 100ms) fields.wrong("again", "at least 100ms");
}

void read_around(Fields& fields, const Population& population, std::optional<NodeIndex>& into) {
  Selector victim;
  read_selector(fields, "around", population, Draws::refused, victim);
  if (!fields.good() || victim.empty()) return;
  const std::vector<NodeIndex> who = named(victim);
  if (who.size() != 1) return fields.wrong("around", "one node, whose table is to be filled");
  into = who.front();
}

void read_ids(Fields& fields, const Population& population, GangPlan& plan) {
  fields.read("near", plan.near);
  read_around(fields, population, plan.around);
  fields.read("drawn", plan.drawn, 1, kMostDrawn);
  if (!fields.good()) return;
  const bool chosen = !plan.near.empty() || plan.around;
  if (!plan.near.empty() && plan.around)
    fields.wrong("around", "besides near: one of them says where the ids are");
  if (fields.has("drawn") && !chosen) fields.wrong("drawn", "without near or around");
  if (chosen && plan.drawn * plan.count > kMostDrawn)
    fields.wrong("drawn", "for so many of them at most " +
                              std::to_string(kMostDrawn / std::max<std::size_t>(1, plan.count)));
}

void read_networks(Fields& fields, const AddressPlan& addresses, GangPlan& plan) {
  fields.read("networks", plan.networks, 1, kMostOwnedNetworks);
  fields.read("addresses", plan.addresses, 1, kMostAdversaries);
  if (fields.has("addresses") && fields.has("networks"))
    fields.wrong("addresses", "besides networks: one of them says where they are");
  if (!fields.good() || plan.networks == 0) return;
  if (addresses.scope != AddressPlan::Scope::spread)
    fields.wrong("networks", "only where addresses.scope is \"public\"");
}

}  // namespace

Result<GangPlan> read_gang(std::string_view file, const Value& value, const Population& population,
                           const AddressPlan& addresses, Duration end) {
  const Table* table = value.as<Table>();
  if (!table)
    return fail(Errc::invalid, std::string(file) + ":" + std::to_string(value.line) +
                                   ": adversary: adversaries are written [[adversary]]");
  GangPlan plan;
  Fields fields(file, *table, "adversary", value.line);
  fields.need("count", "count = 20");
  fields.read("count", plan.count, 0, kMostAdversaries);
  read_part(file, fields, population, end, plan);
  fields.read("from", plan.from);
  if (fields.good() && plan.from > end) fields.wrong("from", "after the end of the run (duration)");
  read_contact(fields, population, plan);
  read_ids(fields, population, plan);
  read_networks(fields, addresses, plan);
  RETURN_IF_ERROR(fields.done("adversary"));
  return plan;
}

std::size_t adversaries(const std::vector<GangPlan>& plans) {
  std::size_t count = 0;
  for (const GangPlan& plan : plans) count += plan.count;
  return count;
}

std::size_t planned_hosts(std::size_t nodes, const std::vector<GangPlan>& plans) {
  const bool theirs = std::ranges::all_of(
      plans, [](const GangPlan& plan) { return plan.count == 0 || plan.networks > 0; });
  return theirs ? nodes : nodes + adversaries(plans);
}

std::size_t owned_networks(const std::vector<GangPlan>& plans) {
  std::size_t count = 0;
  for (const GangPlan& plan : plans) count += plan.networks;
  return count;
}

Gang::Gang(Lab& lab, const GangPlan& plan, std::uint64_t seed, std::size_t number,
           Everybody everybody)
    : lab_(lab),
      plan_(plan),
      seed_(seed),
      luck_(derived(seed, "gang", number)),
      everybody_(std::move(everybody)),
      own_(std::make_shared<Directory>(lab.world())) {}

Gang::~Gang() = default;

std::vector<KeyPair> Gang::identities() const {
  const std::size_t tries = plan_.drawn * plan_.count;
  if (plan_.around)
    return adversary::ids_around(luck_, KadId::of(lab_.id(*plan_.around)), plan_.count,
                                 lab_.node(*plan_.around).config().kad.k, tries);
  return adversary::ids_near(luck_, as_bytes(plan_.near), plan_.count,
                             plan_.near.empty() ? plan_.count : tries);
}

NodeOptions Gang::options(std::size_t member, const KeyPair& identity) const {
  NodeOptions options{.identity = identity};
  if (plan_.networks > 0)
    options.host.address = owned_address(seed_, plan_.first_network + member % plan_.networks,
                                         member / plan_.networks);
  if (!shared_.empty()) options.host.nat = shared_[member % shared_.size()];
  return options;
}

adversary::OnRequest Gang::conduct() const {
  const std::size_t k = lab_.scenario().config.kad.k;
  if (!plan_.conduct) return {};
  switch (*plan_.conduct) {
    case Conduct::silent:
      return adversary::silence();
    case Conduct::refuse:
      return adversary::refusal();
    case Conduct::lie:
      return adversary::deceit(own_, k);
    case Conduct::drop:
      return adversary::deceit(everybody_, k);
  }
  return {};
}

SybilConduct Gang::gossip() const {
  const GossipPlan& plan = *plan_.gossip;
  SybilConduct conduct{.drops_ppm = plan.drops_ppm,
                       .censors = {},
                       .turns = after(lab_.begin(), plan.turns),
                       .regraft = plan.regraft,
                       .promises = plan.promises};
  for (const NodeIndex node : named(plan.censors)) conduct.censors.insert(lab_.id(node));
  return conduct;
}

Adversary::Script Gang::script(std::size_t member) const {
  Adversary::Script script;
  if (plan_.gossip) script = Sybil::script(gossip(), derived(luck_, "sybil", member));
  script.on_request = conduct();
  return script;
}

// Who has no part in the DHT or the pub/sub does not name its protocols.
NodeConfig Gang::config() const {
  NodeConfig config = lab_.adversary_config();
  if (!plan_.conduct) config.kad.protocol.clear();
  if (!plan_.gossip) config.gossip.protocols.clear();
  return config;
}

void Gang::start() {
  if (stopped_) return;
  const std::vector<KeyPair> ids = identities();
  KAD_CHECK(ids.size() == plan_.count);
  for (std::size_t i = 0; i < std::min(plan_.addresses, ids.size()); ++i)
    shared_.push_back(lab_.world().add_nat(NatConfig::full_cone()));
  for (std::size_t member = 0; member < ids.size(); ++member) add(member, ids[member]);
}

// They do not all speak in the same moment.
void Gang::add(std::size_t member, const KeyPair& identity) {
  members_.push_back(std::make_unique<Adversary>(lab_.world(), script(member), config(),
                                                 options(member, identity)));
  own_->add(members_.back()->index());
  everybody_->add(members_.back()->index());
  const auto place = static_cast<std::int64_t>(member);
  const Duration wait = plan_.again * place / static_cast<std::int64_t>(plan_.count);
  lab_.world().at(after(lab_.world().now().mono, wait),
                  [this, member, alive = std::weak_ptr(alive_)] {
                    if (!alive.expired()) look(member);
                  });
}

// The same ones at each look.
std::vector<NodeIndex> Gang::contacts(std::size_t member) const {
  std::vector<NodeIndex> all = named(plan_.contact);
  if (plan_.connections == 0 || plan_.connections >= all.size()) return all;
  Luck luck(derived(luck_, "contacts", member));
  for (std::size_t i = 0; i < plan_.connections; ++i)
    std::swap(all[i], all[i + luck.below(all.size() - i)]);
  all.resize(plan_.connections);
  return all;
}

void Gang::look(std::size_t member) {
  if (stopped_) return;
  Adversary& one = *members_[member];
  const std::set<PeerId> known = one.connected();
  for (const NodeIndex node : contacts(member))
    if (lab_.ready(node) && !known.contains(lab_.id(node))) one.connect(lab_.index(node));
  lab_.world().at(after(lab_.world().now().mono, plan_.again),
                  [this, member, alive = std::weak_ptr(alive_)] {
                    if (!alive.expired()) look(member);
                  });
}

std::uint64_t Gang::requests() const {
  std::uint64_t sum = 0;
  for (const auto& member : members_) sum += member->requests();
  return sum;
}

Gangs::Gangs(Lab& lab, const std::vector<GangPlan>& plans, std::uint64_t seed) {
  if (plans.empty()) return;
  World& world = lab.world();
  const auto everybody = std::make_shared<Directory>(world);
  for (NodeIndex node = 0; node < lab.scenario().population.count; ++node)
    everybody->add(lab.index(node));
  for (const GangPlan& plan : plans) {
    Gang& gang =
        *all_.emplace_back(std::make_unique<Gang>(lab, plan, seed, all_.size(), everybody));
    world.at(after(world.now().mono, plan.from), [&gang] { gang.start(); });
  }
}

void Gangs::stop() {
  for (const auto& gang : all_) gang->stop();
}

std::size_t Gangs::members() const {
  std::size_t sum = 0;
  for (const auto& gang : all_) sum += gang->members();
  return sum;
}

std::uint64_t Gangs::requests() const {
  std::uint64_t sum = 0;
  for (const auto& gang : all_) sum += gang->requests();
  return sum;
}

}  // namespace kadmesh::kadsim
