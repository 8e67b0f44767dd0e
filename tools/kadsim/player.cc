#include "kadsim/player.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "kadsim/gang.h"
#include "kadsim/judge.h"
#include "kadsim/lab.h"
#include "kadsim/quantities.h"
#include "kadsim/sampler.h"
#include "kadsim/trouble.h"
#include "sim/luck.h"
#include "sim/oracle.h"

namespace kadmesh::kadsim {
namespace {

// A connection to a machine that vanished is found out by its keepalives.
constexpr Duration kSettling = std::chrono::minutes(2);

// What is next in a scenario: a repetition of a step, or the start of a node.
struct Moment {
  Duration at;
  std::size_t step;  // kStart: a node starts; comes before steps of the same time
  std::size_t which;
  static constexpr std::size_t kStart = 0;
  friend auto operator<=>(const Moment&, const Moment&) = default;
};

// One repetition of a step by one node.
struct Repetition {
  const Step& step;
  std::size_t number;
  NodeIndex node;
  std::uint64_t drawn;  // "{r}"

  std::string filled(std::string_view pattern) const {
    return kadsim::filled(pattern, number, drawn, node);
  }
};

// What no text and no size was given for says who sent it, and that it is the `said`th of all.
Bytes message(const Repetition& what, std::uint64_t said, Rng& rng) {
  const Step& step = what.step;
  if (!step.value.empty()) return to_bytes(as_bytes(what.filled(step.value)));
  if (step.size == 0)
    return to_bytes(
        as_bytes("message " + std::to_string(said) + " of " + std::to_string(what.node)));
  Bytes out(static_cast<std::size_t>(step.size));
  rng.fill(out);
  return out;
}

class Play {
 public:
  Play(const Scenario& scenario, std::uint64_t seed, const Watch& watch)
      : scenario_(scenario),
        seed_(seed),
        watch_(watch),
        lab_(scenario, seed, watch.turn, [this](NodeIndex node) { join(node); }),
        judge_(lab_),
        sampler_(lab_),
        trouble_(lab_, scenario, seed, faults_told()),
        gangs_(lab_, scenario.gangs, seed) {
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      const Step& step = scenario.steps[i];
      moments_.push({step.at, i + 1, 0});
      luck_.emplace_back(derived_key(seed, "step", step.luck + same_before(i)));
    }
    plan_starts();
  }

  RunResult run() {
    while (lab_.now() < scenario_.duration) {
      lab_.run_until(next());
      lab_.catch_up();
      judge_.look();
      while (!moments_.empty() && moments_.top().at <= lab_.now()) play_next();
      if (lab_.now() >= next_sample_) sample();
    }
    return finish();
  }

 private:
  // Two steps of the same text draw apart.
  std::size_t same_before(std::size_t index) const {
    return static_cast<std::size_t>(std::count_if(
        scenario_.steps.begin(), scenario_.steps.begin() + static_cast<std::ptrdiff_t>(index),
        [&](const Step& step) { return step.luck == scenario_.steps[index].luck; }));
  }

  // By join.late, or by a step.
  std::vector<bool> late() const {
    std::vector<bool> out = mask(scenario_.join.late, scenario_.population.count);
    for (const Step& step : scenario_.steps)
      if (step.verb == Verb::start && !step.who.draws())
        for (const NodeIndex node : named(step.who)) out[node] = true;
    return out;
  }

  std::function<void(const std::string&)> faults_told() {
    if (!watch_.step) return {};
    return [this](const std::string& what) { watch_.step(lab_.now(), what); };
  }

  void plan_starts() {
    std::vector<NodeIndex> order;
    const std::vector<bool> starts_late = late();
    for (NodeIndex node = 0; node < scenario_.population.count; ++node)
      if (!starts_late[node]) order.push_back(node);
    Rng rng(derived_key(seed_, "order", 0));
    if (scenario_.join.shuffled) rng.shuffle(std::span(order));
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(1, order.size()));
    for (std::size_t i = 0; i < order.size(); ++i)
      moments_.push(
          {scenario_.join.spread * static_cast<std::int64_t>(i) / count, Moment::kStart, 0});
    order_ = std::move(order);
    // At the beginning of a run that has no time yet, without one event in between.
    while (!moments_.empty() && moments_.top() == Moment{Duration::zero(), Moment::kStart, 0})
      play_next();
    sample();
  }

  Duration next() const {
    Duration soonest = std::min({scenario_.duration, next_sample_, judge_.next(lab_.now())});
    if (!moments_.empty()) soonest = std::min(soonest, moments_.top().at);
    return std::max(soonest, lab_.now());
  }

  void sample() {
    sampler_.sample();
    next_sample_ = lab_.now() + scenario_.sample;
    if (watch_.progress) watch_.progress(lab_.now(), scenario_.duration, lab_.world().events());
  }

  void play_next() {
    const Moment moment = moments_.top();
    moments_.pop();
    if (moment.step == Moment::kStart) return start(order_[started_++]);
    const std::size_t index = moment.step - 1;
    const Step& step = scenario_.steps[index];
    if (watch_.step) watch_.step(lab_.now(), step.text);
    perform(step, moment.which, luck_[index]);
    if (moment.which + 1 < step.repeat)
      moments_.push({step.at + step.every * static_cast<std::int64_t>(moment.which + 1),
                     moment.step, moment.which + 1});
  }

  void start(NodeIndex node) {
    if (watch_.step) watch_.step(lab_.now(), "start " + scenario_.population.name(node));
    lab_.start(node);
  }

  // Connections that a node opens when it starts, besides those of its DHT.
  void join(NodeIndex node) {
    if (scenario_.join.connect == 0) return;
    Rng rng(derived_key(seed_, "join", node));
    std::vector<NodeIndex> others = lab_.ready();
    std::erase(others, node);
    rng.shuffle(std::span(others));
    others.resize(std::min(others.size(), scenario_.join.connect));
    for (const NodeIndex other : others) lab_.connect(node, other, "join", false, kDefaultDeadline);
  }

  // --- steps
  void perform(const Step& step, std::size_t number, Rng& rng) {
    if (step.verb == Verb::partition) return partition(step, rng);
    if (step.verb == Verb::heal && step.who.empty()) return lab_.world().heal();
    for (const NodeIndex node : step.who.pick(pool(step.verb), rng))
      perform(step, number, node, rng);
  }

  // Of whom a draw is: those to whom it can be done.
  std::vector<NodeIndex> pool(Verb verb) const {
    if (verb == Verb::restart || verb == Verb::start) return lab_.down();
    return verb == Verb::thaw ? lab_.frozen() : lab_.ready();
  }

  void perform(const Step& step, std::size_t number, NodeIndex node, Rng& rng) {
    switch (step.verb) {
      case Verb::start:
        return start(node);
      case Verb::kill:
        return lab_.kill(node);
      case Verb::restart:
        return lab_.restart(node, step.keep_store);
      case Verb::freeze:
        return lab_.freeze(node);
      case Verb::thaw:
        return lab_.thaw(node);
      case Verb::subscribe:
        return lab_.subscribe(node, step.topic);
      case Verb::unsubscribe:
        return lab_.unsubscribe(node, step.topic);
      case Verb::publish:
        return lab_.publish(node, step.topic, message({step, number, node, 0}, ++said_, rng),
                            step.label);
      case Verb::ready:
        return lab_.await_ready(node, step.live, step.label, step.limit);
      case Verb::connect:
      case Verb::disconnect:
      case Verb::ping:
      case Verb::find:
      case Verb::backfill:
      case Verb::cut:
      case Verb::heal:
        return towards(step, node, rng);
      case Verb::put:
      case Verb::get:
      case Verb::provide:
      case Verb::find_providers:
      case Verb::closest:
        return keyed(step, number, node, rng);
      case Verb::partition:
        return;
    }
  }

  void towards(const Step& step, NodeIndex node, Rng& rng) {
    std::vector<NodeIndex> others = lab_.ready();
    std::erase(others, node);
    for (const NodeIndex to : step.to.pick(others, rng)) {
      if (to == node) continue;
      const auto a = lab_.index(node), b = lab_.index(to);
      if (step.verb == Verb::connect) lab_.connect(node, to, step.label, step.bare, step.limit);
      if (step.verb == Verb::disconnect) lab_.disconnect(node, to);
      if (step.verb == Verb::ping) lab_.ping(node, to, step.label, step.limit);
      if (step.verb == Verb::find) lab_.find(node, to, step.label, step.limit);
      if (step.verb == Verb::backfill) lab_.backfill(node, to, step.topic, step.label, step.limit);
      if (step.verb == Verb::cut) lab_.world().cut(a, b);
      if (step.verb == Verb::heal) lab_.world().heal(a, b);
    }
  }

  void keyed(const Step& step, std::size_t number, NodeIndex node, Rng& rng) {
    const Repetition what{step, number, node, rng.below(step.keys)};
    const std::string key = what.filled(step.key);
    if (step.verb == Verb::put)
      lab_.put(node, key, message(what, ++said_, rng), step.label, step.limit);
    if (step.verb == Verb::get) lab_.get(node, key, step.label, step.limit);
    if (step.verb == Verb::provide) lab_.provide(node, key, step.label, step.limit);
    if (step.verb == Verb::find_providers) lab_.find_providers(node, key, step.label, step.limit);
    if (step.verb == Verb::closest) lab_.closest(node, key, step.label, step.limit);
  }

  void partition(const Step& step, Rng& rng) {
    std::vector<std::vector<World::Index>> groups;
    for (const Selector& selector : step.groups) {
      auto& group = groups.emplace_back();
      for (const NodeIndex node : selector.pick(lab_.ready(), rng))
        group.push_back(lab_.index(node));
    }
    lab_.world().partition(groups);
  }

  // --- the end
  RunResult finish() {
    RunResult result;
    result.scenario = scenario_.name;
    result.seed = seed_;
    result.nodes = scenario_.population.count;
    result.duration = scenario_.duration;
    result.verdicts = judge_.end();
    result.adversaries.count = gangs_.members();
    result.adversaries.requests = gangs_.requests();
    sampler_.finish(result);
    result.trace_hash = lab_.world().trace_hash();
    result.events = lab_.world().events();
    if (watch_.operations) watch_.operations(lab_.ledger());
    rest(result);
    return result;
  }

  // What must hold once all trouble is over; none of it is part of the run any more.
  void rest(RunResult& result) {
    World& world = lab_.world();
    const auto rule = [&](const char* says, const std::string& wrong) {
      result.verdicts.push_back({says, wrong.empty(), wrong});
    };
    trouble_.end();
    gangs_.stop();
    world.heal();
    for (const NodeIndex node : lab_.frozen()) lab_.thaw(node);
    // It takes a while until everybody has noticed that a peer is gone.
    rule("who is connected to a peer is connected by it", oracle::connections(world, kSettling));
    rule("no table has an address that is not its peer's", oracle::addresses(world));
    rule("at the end nothing is left over", world.quiesce());
  }

  const Scenario& scenario_;
  std::uint64_t seed_;
  const Watch& watch_;
  Lab lab_;
  Judge judge_;
  Sampler sampler_;
  Trouble trouble_;
  Gangs gangs_;
  std::priority_queue<Moment, std::vector<Moment>, std::greater<>> moments_;
  std::vector<Rng> luck_;  // of each step
  std::vector<NodeIndex> order_;
  std::size_t started_ = 0;
  std::uint64_t said_ = 0;
  Duration next_sample_{};
};

}  // namespace

RunResult play(const Scenario& scenario, std::uint64_t seed, const Watch& watch) {
  return Play(scenario, seed, watch).run();
}

}  // namespace kadmesh::kadsim
