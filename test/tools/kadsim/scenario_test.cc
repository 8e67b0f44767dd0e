#include "kadsim/scenario.h"

#include "kad/policies.h"
#include "kadsim/toml_file.h"
#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

constexpr const char* kHead =
    "name = \"x\"\nnodes = 4\nnames = [\"alice\", \"bob\"]\nduration = \"60s\"\n";

Result<Scenario> read(const std::string& more, const std::string& head = kHead) {
  const auto table = parse_toml(head + more, "x.toml");
  REQUIRE_MESSAGE(table, (table ? "" : table.error().detail));
  return read_scenario(*table, "x.toml");
}
Scenario good(const std::string& more) {
  auto scenario = read(more);
  REQUIRE_MESSAGE(scenario, (scenario ? "" : scenario.error().detail));
  return *std::move(scenario);
}
std::string wrong(const std::string& more, const std::string& head = kHead) {
  const auto scenario = read(more, head);
  REQUIRE_FALSE(scenario);
  CHECK(scenario.error().code == Errc::invalid);
  return scenario.error().detail;
}

TEST_CASE("scenario: its parts are read") {
  const Scenario scenario = good(
      "[link]\nlatency = {uniform = [\"5ms\", \"50ms\"]}\nloss = \"1%\"\n"
      "[gossip]\nd = 8\n[join]\nseeds = \"alice\"\nspread = \"2s\"\n"
      "[[step]]\nat = \"1s\"\ndo = \"put\"\nwho = \"bob\"\nkey = \"/v/k\"\nas = \"p\"\n"
      "[[expect]]\nwhat = \"result\"\nof = \"p\"\nwithin = \"1s\"\n");
  CHECK(scenario.population.count == 4);
  CHECK(
      std::holds_alternative<Uniform>(std::get<PairLatency>(scenario.wires.link.latency).one_way));
  CHECK(scenario.wires.link.loss_ppm == 10'000);
  CHECK(scenario.config.gossip.d == 8);
  CHECK(scenario.join.spread == 2s);
  CHECK(scenario.steps.at(0).verb == Verb::put);
  CHECK(scenario.expectations.at(0).within == 1s);
}

TEST_CASE("scenario: nodes may do without GossipSub, and with few connections") {
  CHECK(!good("").config.gossip.protocols.empty());
  const Scenario scenario = good("[gossip]\nenabled = false\n[kad]\nkept_of_bucket = 4\n");
  CHECK(scenario.config.gossip.protocols.empty());
  CHECK(scenario.config.kad.kept_of_bucket == 4);
}

TEST_CASE("scenario: the policies of Kademlia are named, and networks written as ranges") {
  const KadConfig kad = good(
                            "[kad]\nscope = \"wan\"\n[kad.policy]\nmetric = \"clockwise\"\n"
                            "[kad.diversity]\nof_table = 0\nexempt = [\"198.18.0.0/15\"]\n")
                            .config.kad;
  CHECK(kad.scope == Scope::wan);
  CHECK(name_of(kad.policies.metric) == "clockwise");
  CHECK(name_of(kad.policies.termination) == "beta_then_rest");
  CHECK(kad.diversity.of_table == 0);
  CHECK(kad.diversity.exempt.size() == 1);
  CHECK(wrong("[kad.policy]\nmetric = \"taxicab\"\n") ==
        "x.toml:6: kad.policy.metric: 'taxicab' is not one of xor, clockwise");
  CHECK(wrong("[kad.diversity]\nexempt = \"1.2.3.4/32\"\n").find("is no range of networks") !=
        std::string::npos);
}

TEST_CASE("scenario: an error names file, line and key, and what is allowed") {
  CHECK(wrong("[[step]]\nat = \"soon\"\ndo = \"put\"\n") ==
        "x.toml:6: step.at: 'soon' is no time; one is like 250ms, 1.5s, 2min, 1h or 3d");
  CHECK(wrong("[gossip]\nd = \"six\"\n") ==
        "x.toml:6: gossip.d: this is a text; it takes a whole number from 0 to 1000");
  const std::string verb = wrong("[[step]]\nat = \"1s\"\ndo = \"pot\"\n");
  CHECK(verb.starts_with("x.toml:7: step.do: 'pot' is not one of start, connect, "));
}

TEST_CASE("scenario: a key that is not known is told with the one that was meant") {
  const std::string said = wrong("[gossip]\nheartbaet = \"1s\"\n");
  CHECK(said.starts_with("x.toml:6: gossip.heartbaet: no such key (heartbeat?); the keys are "));
  CHECK(wrong("[[step]]\nat = \"1s\"\ndo = \"kill\"\nwho = \"bob\"\nkey = \"/v/k\"\n")
            .find("no such key of kill") != std::string::npos);
  CHECK(wrong("sed = 3\n").starts_with("x.toml:5: sed: no such key of a scenario"));
}

TEST_CASE("scenario: what is missing is told with an example") {
  CHECK(wrong("", "nodes = 3\nduration = \"1s\"\n") ==
        "x.toml:1: name: missing; for example name = \"trio\"");
  CHECK(wrong("[[step]]\ndo = \"kill\"\nwho = \"bob\"\n") ==
        "x.toml:5: step.at: missing; for example at = \"10s\"");
  CHECK(wrong("[[step]]\nat = \"1s\"\ndo = \"put\"\nwho = \"bob\"\n")
            .find("step.key: missing; for example key = \"/v/name\"") != std::string::npos);
}

TEST_CASE("scenario: bounds, kinds and combinations are checked") {
  CHECK(wrong("", "name = \"x\"\nnodes = 0\nduration = \"1s\"\n").find("from 1 to 1000000") !=
        std::string::npos);
  CHECK(wrong("", "name = \"a b\"\nnodes = 1\nduration = \"1s\"\n").find("letters, digits") !=
        std::string::npos);
  CHECK(wrong("[link]\nloss = \"200%\"\n").find("no share") != std::string::npos);
  CHECK(wrong("[link]\nlatency = {uniform = [\"5ms\", \"1ms\"]}\n").find("the greater") !=
        std::string::npos);
  CHECK(wrong("[host]\nnat = \"cone\"\n").find("full_cone") != std::string::npos);
  CHECK(wrong("[gossip]\nd_lo = 7\n").find("gossip: ") != std::string::npos);
  CHECK(wrong("[[step]]\nat = \"61s\"\ndo = \"heal\"\n").find("after the end") !=
        std::string::npos);
  CHECK(wrong("[[step]]\nat = \"1s\"\ndo = \"get\"\nwho = \"all\"\nkey = \"/v/k\"\nrepeat = 3\n")
            .find("without every") != std::string::npos);
}

TEST_CASE("scenario: an expectation refers to what is there") {
  const std::string put =
      "[[step]]\nat = \"1s\"\ndo = \"put\"\nwho = \"bob\"\nkey = \"/v/k\"\nas = \"p\"\n";
  CHECK(wrong(put + "[[expect]]\nwhat = \"result\"\nof = \"q\"\n").find("nothing is called 'q'") !=
        std::string::npos);
  CHECK(wrong(put + "[[expect]]\nwhat = \"latency\"\nof = \"p\"\nthan = \"q\"\n")
            .find("expect.than: nothing is called 'q'") != std::string::npos);
  CHECK(wrong(put + "[[expect]]\nwhat = \"latency\"\nof = \"p\"\ntimes = 2\n")
            .find("expect.within: missing") != std::string::npos);
  CHECK(
      wrong("[[expect]]\nwhat = \"stat\"\nstat = \"gossip.delivred\"\nwho = \"all\"\nequals = 1\n")
          .find("gossip.delivered") != std::string::npos);
  CHECK(wrong("[[expect]]\nwhat = \"knows\"\nwho = \"all\"\nwhom = \"zoe\"\n")
            .find("'zoe' is no node") != std::string::npos);
  CHECK(
      wrong(
          "[[expect]]\nwhat = \"knows\"\nwho = \"all\"\nwhom = \"bob\"\nat = \"1s\"\nby = \"2s\"\n")
          .find("besides at") != std::string::npos);
}

TEST_CASE("scenario: a share of deliveries is either reached or not") {
  const std::string expect =
      "[[step]]\nat = \"1s\"\ndo = \"publish\"\nwho = \"bob\"\ntopic = \"t\"\n"
      "[[expect]]\nwhat = \"delivered\"\nbelow = \"99%\"\n";
  CHECK(good(expect).expectations.at(0).below == 990'000);
  CHECK(wrong(expect + "share = \"1%\"\n").find("besides share") != std::string::npos);
}

TEST_CASE("scenario: a counter against a baseline needs a bound") {
  const std::string stat =
      "[[expect]]\nwhat = \"stat\"\nstat = \"gossip.delivered\"\nwho = \"all\"\nbaseline = "
      "\"1s\"\n";
  CHECK(wrong(stat) == "x.toml:9: expect.baseline: without at_least or at_most");
  CHECK(good(stat + "at_most = 0\n").expectations.size() == 1);
}

TEST_CASE("scenario: churn and faults are read, and what is wrong with them is told") {
  const Scenario scenario = good(
      "[[churn]]\nwho = \"2..\"\nuntil = \"30s\"\nsession = {weibull = \"20min\", shape = "
      "0.6}\nvanish = \"5%\"\n"
      "[[faults]]\nweights = {kill = 2, partition = 1}\nspared = \"alice\"\n");
  CHECK(std::get<Weibull>(scenario.churn.at(0).config.session).shape_milli == 600);
  CHECK(scenario.churn.at(0).config.vanish_ppm == 50'000);
  CHECK(scenario.faults.at(0).until == 60s);
  CHECK(scenario.faults.at(0).config.weights[static_cast<std::size_t>(Fault::freeze)] == 0);
  CHECK(wrong("[[churn]]\nsession = {pareto = \"1s\"}\n").find("one of uniform, exponential") !=
        std::string::npos);
  CHECK(wrong("[[churn]]\nfrom = \"9s\"\nuntil = \"8s\"\n").find("not before until") !=
        std::string::npos);
  CHECK(wrong("[[faults]]\nweights = {kil = 2}\n").find("kil: no such key (kill?)") !=
        std::string::npos);
  CHECK(wrong("[[faults]]\nweights = {kill = 0}\n").find("none of them") != std::string::npos);
  CHECK(wrong("[churn]\nwho = \"bob\"\n").find("written [[churn]]") != std::string::npos);
}

TEST_CASE("scenario: adversaries are read, and what is wrong with them is told") {
  const std::string gang = "[[adversary]]\ncount = 20\ndoes = \"lie\"\n";
  const std::string open = "[addresses]\nscope = \"public\"\n";
  const Scenario scenario =
      good(open + gang +
           "around = \"bob\"\ndrawn = 64\nnetworks = 2\nfrom = \"1s\"\n"
           "contact = [\"alice\", \"2..\"]\n" +
           "[[adversary]]\ncount = 0\ndoes = \"silent\"\n" + gang + "networks = 3\n");
  const GangPlan& first = scenario.gangs.at(0);
  CHECK(first.conduct == Conduct::lie);
  CHECK(first.around == 1);
  CHECK(first.networks == 2);
  CHECK(named(first.contact) == std::vector<NodeIndex>{0, 2, 3});
  CHECK(named(scenario.gangs.at(1).contact).size() == 4);
  CHECK(adversaries(scenario.gangs) == 40);
  CHECK(first.first_network == 0);
  CHECK(scenario.gangs.at(2).first_network == 2);

  const auto told = [&](const std::string& more) { return wrong(gang + more); };
  CHECK(wrong("[[adversary]]\ncount = 1\ndoes = 3\n").find("does: ") != std::string::npos);
  CHECK(wrong("[[adversary]]\ncount = 1\n").find("does: missing") != std::string::npos);
  CHECK(wrong("[[adversary]]\ndoes = \"lie\"\n").find("count: missing") != std::string::npos);
  CHECK(wrong("[[adversary]]\ncount = 1\ndoes = \"lies\"\n")
            .find("'lies' is not one of silent, refuse, lie, drop") != std::string::npos);
  CHECK(told("near = \"/v/k\"\naround = \"bob\"\n").find("besides near") != std::string::npos);
  CHECK(told("around = [\"alice\", \"bob\"]\n").find("one node") != std::string::npos);
  CHECK(told("around = \"random 1\"\n").find("nothing is drawn here") != std::string::npos);
  CHECK(told("drawn = 9\n").find("without near or around") != std::string::npos);
  CHECK(told("near = \"/v/k\"\ndrawn = 100001\n").find("at most 100000") != std::string::npos);
  CHECK(told("networks = 2\n").find("addresses.scope is \"public\"") != std::string::npos);
  CHECK(told("from = \"61s\"\n").find("after the end") != std::string::npos);
  CHECK(told("again = \"1ms\"\n").find("at least 100ms") != std::string::npos);
  CHECK(told("bits = 3\n").find("bits: no such key") != std::string::npos);
  CHECK(wrong("[adversary]\ncount = 1\n").find("written [[adversary]]") != std::string::npos);
  const std::string full = "per_24 = 1\nper_16 = 1\nper_8 = 1\n";
  const auto crowd = [](int nodes) {
    return "name = \"x\"\nnodes = " + std::to_string(nodes) + "\nduration = \"60s\"\n";
  };
  CHECK(wrong(open + full + gang, crowd(210)).find("nodes and adversaries only") !=
        std::string::npos);
  CHECK(wrong(open + full + gang + "networks = 2\n", crowd(190))
            .find("beside networks that are somebody's") != std::string::npos);
}

TEST_CASE("scenario: room is for all who have an address of the plan") {
  const std::string open = "[addresses]\nscope = \"public\"\nper_24 = 1\nper_16 = 1\nper_8 = 1\n";
  const std::string head = "name = \"x\"\nnodes = 100\nduration = \"60s\"\n";
  const auto gang = [](int count, int networks) {
    return "[[adversary]]\ndoes = \"lie\"\ncount = " + std::to_string(count) +
           (networks > 0 ? "\nnetworks = " + std::to_string(networks) + "\n" : "\n");
  };
  CHECK(read(open + gang(5000, 1024) + gang(5000, 1024), head));
  CHECK(read(open + gang(5000, 4) + gang(0, 0), head));
  // Whoever comes after them is the 5,101st host.
  CHECK(wrong(open + gang(5000, 4) + gang(1, 0), head).find("addresses: room for") !=
        std::string::npos);
  CHECK(read(open + gang(100, 0), head));
  CHECK(wrong(open + gang(100, 0) + gang(1, 1), head).find("beside networks") != std::string::npos);
  CHECK(wrong(open + gang(1, 1024) + gang(1, 1025), head).find("at most 2048") !=
        std::string::npos);
}

TEST_CASE("scenario: Sybils are read, and what is wrong with them is told") {
  const std::string gang = "[[adversary]]\ncount = 4\n";
  const Scenario scenario =
      good(gang +
           "connections = 2\naddresses = 3\n"
           "gossip = {drops = \"40%\", censors = \"bob\", turns = \"9s\", regraft = \"1s\", "
           "promises = 7}\n" +
           gang + "gossip = {}\n" + gang + "does = \"silent\"\n");
  const GangPlan& first = scenario.gangs.at(0);
  CHECK_FALSE(first.conduct);
  CHECK(first.connections == 2);
  CHECK(first.addresses == 3);
  REQUIRE(first.gossip);
  CHECK(first.gossip->drops_ppm == 400'000);
  CHECK(named(first.gossip->censors) == std::vector<NodeIndex>{1});
  CHECK(first.gossip->turns == 9s);
  CHECK(std::get<Always>(*first.gossip->regraft).value == 1s);
  CHECK(first.gossip->promises == 7);
  CHECK(scenario.gangs.at(1).gossip->drops_ppm == 1'000'000);
  CHECK_FALSE(scenario.gangs.at(1).gossip->regraft);
  CHECK_FALSE(scenario.gangs.at(2).gossip);

  const auto told = [&](const std::string& more) { return wrong(gang + more + "\n"); };
  CHECK(told("").find("does: missing") != std::string::npos);
  CHECK(told("gossip = {drops = \"101%\"}").find("adversary.gossip.drops: ") != std::string::npos);
  CHECK(told("gossip = {turns = \"61s\"}").find("after the end") != std::string::npos);
  CHECK(told("gossip = {promises = 5001}").find("promises: ") != std::string::npos);
  CHECK(told("gossip = {censors = \"random 1\"}").find("nothing is drawn") != std::string::npos);
  CHECK(told("gossip = {regraft = {soon = 1}}").find("regraft: a time, or") != std::string::npos);
  CHECK(told("gossip = {drop = 1}").find("drop: no such key") != std::string::npos);
  CHECK(told("gossip = {}\nconnections = 0").find("connections: ") != std::string::npos);
  CHECK(told("gossip = {}\nconnections = 5").find("connections: ") != std::string::npos);
  CHECK(told("gossip = {}\naddresses = 0").find("addresses: ") != std::string::npos);
  CHECK(wrong("[addresses]\nscope = \"public\"\n" + gang +
              "gossip = {}\naddresses = 1\nnetworks = 1\n")
            .find("besides networks") != std::string::npos);
}

TEST_CASE("scenario: scores are a preset and what is said besides it") {
  const auto scores = [](const std::string& text) {
    return good("[gossip]\nscores = {" + text + "}\n").config.gossip.scoring;
  };
  CHECK_FALSE(scores("preset = \"none\""));
  CHECK(scores("preset = \"colocation\"")->params.colocation_weight == -5);
  CHECK(scores("")->params.colocation_weight == 0);
  const auto report = scores("preset = \"report\", colocation_weight = -10");
  CHECK(report->params.default_topic->mesh_deliveries_window == 5ms);
  CHECK(report->params.default_topic->first_deliveries_cap == 1500);
  CHECK(report->thresholds.graylist == -10'000);
  CHECK(report->params.colocation_weight == -10);
  const auto own = scores(
      "topic = {invalid_weight = -3, mesh_deliveries_window = \"7ms\"}, "
      "thresholds = {gossip = -1.5, opportunistic_graft = 2}, colocation_threshold = 2");
  CHECK(own->params.default_topic->invalid_weight == -3);
  CHECK(own->params.default_topic->mesh_deliveries_window == 7ms);
  CHECK(own->params.default_topic->first_deliveries_weight == 1);
  CHECK(own->thresholds.gossip == -1.5);
  CHECK(own->thresholds.opportunistic_graft == 2);
  CHECK(own->params.colocation_threshold == 2);
  CHECK(good("[[role]]\nwho = \"bob\"\ngossip = {scores = {preset = \"none\"}}\n")
            .config.gossip.scoring);

  const auto told = [](const std::string& text) {
    return wrong("[gossip]\nscores = {" + text + "}\n");
  };
  CHECK(told("preset = \"ethereum\"").find("not one of none, plain, colocation, report") !=
        std::string::npos);
  CHECK(told("weight = 1").find("gossip.scores.weight: no such key") != std::string::npos);
  CHECK(told("topic = {p1 = 1}").find("gossip.scores.topic.p1: no such key") != std::string::npos);
  CHECK(told("colocation_weight = 1").find("colocation_weight <= 0") != std::string::npos);
  CHECK(told("topic = {time_in_mesh_weight = 1}").find("time_in_mesh") != std::string::npos);
  CHECK(told("thresholds = {gossip = \"low\"}").find("a number") != std::string::npos);
}

TEST_CASE("scenario: two expectations of one name could not be told apart") {
  const std::string expect =
      "[[expect]]\nsays = \"same\"\nwhat = \"knows\"\nwho = \"all\"\nwhom = \"bob\"\n";
  CHECK(wrong(expect + expect).find("a name of its own") != std::string::npos);
}

TEST_CASE("step: its luck is of its text, so that another step's going changes nothing") {
  const std::string a = "[[step]]\nat = \"1s\"\ndo = \"kill\"\nwho = \"random 1\"\n";
  const std::string b = "[[step]]\nat = \"2s\"\ndo = \"thaw\"\nwho = \"all\"\n";
  CHECK(good(a + b).steps.at(0).luck == good(b + a).steps.at(1).luck);
  CHECK(good(a + b).steps.at(0).luck != good(a + b).steps.at(1).luck);
}

TEST_CASE("step: a rate over a time is so many repetitions") {
  const Step step =
      good(
          "[[step]]\nat = \"1s\"\ndo = \"publish\"\nwho = \"random 1\"\ntopic = \"t\"\n"
          "rate = 120\nfor = \"10s\"\n")
          .steps.at(0);
  CHECK(step.repeat == 1200);
  CHECK(step.every == 8333333ns);
}

TEST_CASE("step: a pattern is filled") {
  CHECK(filled("/v/{n}-{r}-{node}", 1, 22, 3) == "/v/1-22-3");
  CHECK(filled("/v/plain", 1, 22, 3) == "/v/plain");
}

}  // namespace
}  // namespace kadmesh::kadsim
