#include "kadsim/judge.h"

#include <algorithm>

#include "kadsim/quantities.h"
#include "kadsim/stat.h"
#include "kadsim/wide.h"

namespace kadmesh::kadsim {
namespace {

constexpr Duration kNotSoon = Duration::max();

// Everybody, when nobody is said.
std::vector<bool> whom(const Selector& selector, std::size_t count) {
  return selector.empty() ? std::vector<bool>() : mask(selector, count);
}

bool within(double value, const Expectation& expect, double base = 0) {
  return (!expect.at_least || value >= base + *expect.at_least) &&
         (!expect.at_most || value <= base + *expect.at_most) &&
         (!expect.equals || value == *expect.equals);
}

// Parts of a whole, compared without fractions.
bool enough(std::uint64_t part, std::uint64_t whole, std::uint32_t share) {
  return static_cast<Wide>(part) * kWhole >= static_cast<Wide>(whole) * share;
}

std::string of(std::uint64_t part, std::uint64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

const TopicView* topic_of(const std::vector<TopicView>& topics, const std::string& name) {
  const auto at = std::ranges::find(topics, name, &TopicView::topic);
  return at == topics.end() ? nullptr : &*at;
}

bool knows(const Node& node, const PeerId& peer) {
  return std::ranges::any_of(node.kad().table(), [&](const TableEntry& entry) {
    return entry.contact.peer == peer && entry.standing == Standing::server;
  });
}

bool connected(const Node& node, const PeerId& peer) {
  return std::ranges::any_of(node.connections(),
                             [&](const ConnectionInfo& one) { return one.peer == peer; });
}

bool in_mesh(const Node& node, const PeerId& peer, const std::string& topic) {
  const auto topics = node.gossip().topics();
  const TopicView* view = topic_of(topics, topic);
  return view && std::ranges::find(view->mesh, peer) != view->mesh.end();
}

}  // namespace

Judge::Judge(const Lab& lab) : lab_(lab) {
  for (const Expectation& expect : lab.scenario().expectations)
    pending_.push_back({&expect, {}, {}});
}

std::string Judge::name(NodeIndex node) const { return lab_.scenario().population.name(node); }

// --- when
Duration Judge::next(Duration now) const {
  Duration soonest = kNotSoon;
  const auto later = [&](Duration time) {
    if (time > now) soonest = std::min(soonest, time);
  };
  for (const Pending& pending : pending_) {
    if (pending.verdict) continue;
    const Expectation& expect = *pending.expect;
    if (expect.baseline) later(*expect.baseline);
    if (expect.at) later(*expect.at);
    if (!expect.by) continue;
    later(expect.from);
    later(*expect.by);
    if (now >= expect.from && now < *expect.by) later(now + kLook);
  }
  return soonest;
}

void Judge::look() {
  const Duration now = lab_.now();
  for (Pending& pending : pending_) {
    if (pending.verdict) continue;
    const Expectation& expect = *pending.expect;
    if (expect.baseline && !pending.noted && now >= *expect.baseline) note_baseline(pending);
    if (expect.at && now >= *expect.at) settle(pending, true);
    if (expect.by && now >= expect.from) settle(pending, now >= *expect.by);
  }
}

void Judge::settle(Pending& pending, bool last) {
  const Finding found = find(pending);
  if (!found.holds && !last) return;
  Verdict verdict{pending.expect->says, found.holds, found.detail, found.judged};
  if (found.holds && pending.expect->watched()) verdict.detail = "at " + readable(lab_.now());
  pending.verdict = std::move(verdict);
}

std::vector<Verdict> Judge::end() {
  std::vector<Verdict> out;
  for (Pending& pending : pending_) {
    if (!pending.verdict) settle(pending, true);
    out.push_back(*pending.verdict);
  }
  const std::string broken = lab_.world().check_invariants();
  out.push_back({"every node's invariants hold", broken.empty(), broken});
  const std::string late =
      lab_.ledger().broken(lab_.now(), kDeadlineSlack, lab_.scenario().population);
  out.push_back({"every operation ends once, by its deadline", late.empty(), late});
  const std::string& breach = lab_.breach();
  out.push_back({"nobody breaks a protocol", breach.empty(), breach});
  const std::string unsent = lab_.messages().unsent(lab_.scenario().population);
  out.push_back({"no message comes that nobody sent", unsent.empty(), unsent});
  const std::uint64_t twice = lab_.messages().delivered_twice();
  out.push_back({"no message is delivered twice", twice == 0,
                 twice == 0 ? std::string() : std::to_string(twice) + " were"});
  return out;
}

// --- what
Judge::Finding Judge::find(const Pending& pending) const {
  const Expectation& expect = *pending.expect;
  switch (expect.what) {
    case What::delivered:
      return delivered(expect);
    case What::result:
      return result(expect);
    case What::success:
      return success(expect);
    case What::exact:
      return exact(expect);
    case What::latency:
      return latency(expect);
    case What::hops:
      return hops(expect);
    case What::mesh:
      return mesh(expect);
    case What::knows:
      return pairs(expect, "does not know",
                   [](const Node& node, const PeerId& peer) { return knows(node, peer); });
    case What::connected:
      return pairs(expect, "is not connected to",
                   [](const Node& node, const PeerId& peer) { return connected(node, peer); });
    case What::in_mesh:
      return pairs(expect, "does not have in its mesh", [&](const Node& node, const PeerId& peer) {
        return in_mesh(node, peer, expect.topic);
      });
    case What::captured:
      return captured(expect);
    case What::stat:
      return stat(pending);
  }
  return {};
}

Judge::Finding Judge::delivered(const Expectation& expect) const {
  const std::size_t count = lab_.scenario().population.count;
  const auto found =
      lab_.messages().judge({expect.of, expect.topic, expect.within, whom(expect.who, count)},
                            lab_.scenario().population);
  const std::string figures =
      of(found.got, found.due) + " deliveries of " + std::to_string(found.messages) +
      " messages, slowest " + readable(found.slowest) +
      (found.due == found.subscribers
           ? std::string()
           : "; " + std::to_string(found.subscribers) + " subscribers, up or not");
  if (found.due == 0) return nothing("nobody was to get anything: " + figures);
  if (!enough(found.due, found.subscribers, expect.due_at_least))
    return {false, "due at " + of(found.due, found.subscribers) + " subscribers only: " + figures};
  if (found.twice > 0) return {false, std::to_string(found.twice) + " were delivered twice"};
  if (expect.below > 0) return {!enough(found.got, found.due, expect.below), figures};
  if (!enough(found.got, found.due, expect.share)) return {false, figures + "; " + found.missing};
  if (expect.equals && (static_cast<double>(found.fewest.value_or(0)) != *expect.equals ||
                        static_cast<double>(found.most.value_or(0)) != *expect.equals))
    return {false, "from " + std::to_string(found.fewest.value_or(0)) + " to " +
                       std::to_string(found.most.value_or(0)) + " messages at each"};
  return {true, figures};
}

// Empty when it is as expected.
std::string Judge::unlike(const OperationRecord& record, const Expectation& expect) const {
  if (record.lost) return "was lost with its node";
  if (!record.ended) return "still runs";
  const Outcome& outcome = record.outcome;
  const std::string is = outcome.error.empty() ? "ok" : outcome.error;
  const Duration took = *record.ended - record.started;
  if (expect.is != "any" && is != expect.is) return "was " + is + " after " + readable(took);
  if (expect.within && took > *expect.within) return "took " + readable(took);
  if (expect.no_sooner && took < *expect.no_sooner) return "took only " + readable(took);
  if (expect.value && outcome.value != *expect.value)
    return "brought '" + outcome.value.substr(0, 60) + "'";
  if (expect.pending && outcome.pending != expect.pending)
    return outcome.pending.value_or(false) ? "is pending" : "is not pending";
  if ((expect.at_least || expect.equals) &&
      !within(static_cast<double>(outcome.count.value_or(0)), expect))
    return "has " + std::to_string(outcome.count.value_or(0));
  return {};
}

Judge::Finding Judge::result(const Expectation& expect) const {
  std::size_t count = 0;
  Duration slowest{};
  for (const OperationRecord& record : lab_.ledger().records()) {
    if (record.label != expect.of) continue;
    ++count;
    if (const std::string wrong = unlike(record, expect); !wrong.empty())
      return {false, std::string(kadsim::name(record.verb)) + " of " + name(record.node) + " at " +
                         to_text(record.started) + " " + wrong};
    slowest = std::max(slowest, *record.ended - record.started);
  }
  if (count == 0) return nothing("none was begun");
  return {true, (count == 1 ? "took " : std::to_string(count) + ", slowest ") + readable(slowest)};
}

Judge::Finding Judge::success(const Expectation& expect) const {
  const Operations ops = lab_.ledger().of(expect.of);
  const std::uint64_t whole = ops.started - ops.lost;
  std::string detail = of(ops.succeeded, whole) + " succeeded";
  for (const auto& [error, count] : ops.failures)
    detail.append(", ").append(std::to_string(count)).append(" ").append(error);
  if (whole == 0) return nothing(detail);
  return {enough(ops.succeeded, whole, expect.share), detail};
}

Judge::Finding Judge::exact(const Expectation& expect) const {
  const Operations ops = lab_.ledger().of(expect.of);
  const std::string detail = of(ops.exact, ops.compared) + " missed nobody";
  if (ops.compared == 0) return nothing(detail);
  return {enough(ops.exact, ops.compared, expect.share), detail};
}

Histogram Judge::latencies(const std::string& of) const {
  return of == "delivery" ? lab_.messages().latency() : lab_.ledger().of(of).latency;
}

Judge::Finding Judge::latency(const Expectation& expect) const {
  const Histogram all = latencies(expect.of);
  if (all.count() == 0) return nothing("there was none");
  const auto percentile = [&](const Histogram& of) {
    return std::chrono::microseconds(static_cast<std::int64_t>(of.percentile(expect.percentile)));
  };
  const Duration found = percentile(all);
  std::string detail = "p" + std::to_string(expect.percentile) + " is " + readable(found) + " of " +
                       std::to_string(all.count());
  bool holds = !expect.within || found <= *expect.within;
  if (!expect.than.empty()) {
    const Histogram other = latencies(expect.than);
    if (other.count() == 0) return nothing("of " + expect.than + " there was none");
    const auto times = static_cast<double>(found.count()) /
                       static_cast<double>(std::max<Duration>(percentile(other), 1us).count());
    holds = holds && times <= expect.times.value_or(1);
    detail += ", that of " + expect.than + " " + readable(percentile(other));
  }
  return {holds, detail};
}

Judge::Finding Judge::hops(const Expectation& expect) const {
  const Histogram all =
      expect.of == "delivery" ? lab_.messages().hops() : lab_.ledger().of(expect.of).hops;
  if (all.count() == 0) return nothing("there was none");
  const std::uint64_t found = all.percentile(expect.percentile);
  return {within(static_cast<double>(found), expect), "p" + std::to_string(expect.percentile) +
                                                          " is " + std::to_string(found) + " of " +
                                                          std::to_string(all.count())};
}

Judge::Finding Judge::mesh(const Expectation& expect) const {
  const std::vector<bool> who = whom(expect.who, lab_.scenario().population.count);
  std::size_t seen = 0;
  for (const NodeIndex node : lab_.ready()) {
    if (!who.empty() && !who[node]) continue;
    const auto topics = lab_.node(node).gossip().topics();
    const TopicView* view = topic_of(topics, expect.topic);
    if (!view || !view->subscribed) continue;
    ++seen;
    if (!within(static_cast<double>(view->mesh.size()), expect))
      return {false, name(node) + " has " + std::to_string(view->mesh.size())};
  }
  if (seen == 0) return nothing("nobody subscribes");
  return {true, std::to_string(seen) + " meshes"};
}

template <class Holds>
Judge::Finding Judge::pairs(const Expectation& expect, std::string_view what, Holds holds) const {
  const auto all = named(expect.who), others = named(expect.whom);
  if (std::string why = away(all); !why.empty()) return nothing(std::move(why));
  std::size_t seen = 0;
  for (const NodeIndex who : all)
    for (const NodeIndex whom : others) {
      if (who == whom) continue;
      ++seen;
      if (!holds(lab_.node(who), lab_.id(whom)))
        return {false, name(who) + " " + std::string(what) + " " + name(whom)};
    }
  return seen == 0 ? nothing("nobody is meant") : Finding{true};
}

std::string Judge::away(const std::vector<NodeIndex>& who) const {
  const auto gone = std::ranges::find_if(who, [&](NodeIndex node) { return !lab_.running(node); });
  if (gone != who.end()) return name(*gone) + " does not run";
  return who.empty() ? "nobody is meant" : "";
}

Judge::Finding Judge::captured(const Expectation& expect) const {
  const auto all = named(expect.who);
  if (std::string why = away(all); !why.empty()) return nothing(std::move(why));
  std::string detail;
  for (const NodeIndex node : all) {
    const auto [servers, theirs] = lab_.captured(node);
    if (servers == 0) return nothing(name(node) + " knows nobody");
    detail = of(theirs, servers) + " that " + name(node) + " knows are adversaries";
    if (!within(static_cast<double>(theirs) / static_cast<double>(servers), expect))
      return {false, detail};
  }
  return {true, detail};
}

void Judge::note_baseline(Pending& pending) const {
  pending.noted = true;
  const Stat* stat = find_stat(pending.expect->stat);
  for (const NodeIndex node : named(pending.expect->who))
    if (lab_.running(node)) pending.baseline[node] = stat->of(lab_.node(node).stats());
}

Judge::Finding Judge::stat(const Pending& pending) const {
  const Expectation& expect = *pending.expect;
  const Stat* stat = find_stat(expect.stat);
  std::string detail;
  const auto all = named(expect.who);
  if (std::string why = away(all); !why.empty()) return nothing(std::move(why));
  for (const NodeIndex node : all) {
    const double value = stat->of(lab_.node(node).stats());
    const auto base = pending.baseline.find(node);
    if (expect.baseline && base == pending.baseline.end())
      return nothing(name(node) + " did not run at the baseline");
    const double from = expect.baseline ? base->second : 0;
    detail = name(node) + " has " + number_text(value) +
             (expect.baseline ? ", had " + number_text(from) : std::string());
    if (!within(value, expect, from)) return {false, detail};
  }
  return {true, detail};
}

}  // namespace kadmesh::kadsim
