// Whole runs of small scenarios: what is promised, and what is told when it does not hold.
#include <doctest/doctest.h>

#include <algorithm>

#include "kadsim/player.h"
#include "kadsim/toml_file.h"

namespace kadmesh::kadsim {
namespace {

RunResult played(const std::string& text, std::uint64_t seed = 1, const std::string& head = "",
                 const std::string& duration = "10s") {
  const auto table =
      parse_toml("name = \"x\"\nnodes = 3\nnames = [\"alice\", \"bob\", \"carl\"]\nduration = \"" +
                     duration + "\"\n" + head + "[join]\nseeds = \"alice\"\n" + text,
                 "x.toml");
  REQUIRE_MESSAGE(table, (table ? "" : table.error().detail));
  const auto scenario = read_scenario(*table, "x.toml");
  REQUIRE_MESSAGE(scenario, (scenario ? "" : scenario.error().detail));
  return play(*scenario, seed);
}
std::string failure(const RunResult& run) {
  const auto at = std::ranges::find(run.verdicts, false, &Verdict::passed);
  return at == run.verdicts.end() ? "" : at->detail;
}
std::string failure(const std::string& text) { return failure(played(text)); }

const std::string kPut =
    "[[step]]\nat = \"5s\"\ndo = \"put\"\nwho = \"bob\"\nkey = \"/v/k\"\nvalue = \"w\"\nas = "
    "\"p\"\n";
const std::string kSpeak =
    "[[step]]\nat = \"0s\"\ndo = \"subscribe\"\nwho = \"all\"\ntopic = \"t\"\n"
    "[[step]]\nat = \"5s\"\ndo = \"publish\"\nwho = \"bob\"\ntopic = \"t\"\nas = \"m\"\n";

TEST_CASE("play: the same seed plays the same run, another seed another") {
  const RunResult first = played(kPut, 5), again = played(kPut, 5), other = played(kPut, 6);
  CHECK(to_json(first, true) == to_json(again, true));
  CHECK(first.trace_hash != other.trace_hash);
}

TEST_CASE("play: at message level the same comes out, and the bytes are as many") {
  const std::string expect = "[[expect]]\nwhat = \"delivered\"\ntopic = \"t\"\nwithin = \"1s\"\n";
  const RunResult full = played(kSpeak + expect),
                  plain = played(kSpeak + expect, 1, "fidelity = \"message\"\n");
  CHECK(failure(plain).empty());
  CHECK(plain.deliveries == full.deliveries);
  CHECK(plain.delivery_latency.bins() == full.delivery_latency.bins());
  CHECK(plain.trace_hash != full.trace_hash);
}

TEST_CASE("play: what holds is told with what was found") {
  const RunResult run =
      played(kPut + "[[expect]]\nwhat = \"result\"\nof = \"p\"\nwithin = \"1s\"\nequals = 2\n");
  CHECK(failure(run).empty());
  CHECK(run.verdicts.front().detail.starts_with("took "));
}

TEST_CASE("play: an operation that is not as expected says how it was") {
  const std::string expect = "[[expect]]\nwhat = \"result\"\nof = \"p\"\n";
  CHECK(failure(kPut + expect + "within = \"1ns\"\n").starts_with("put of bob at 5s took "));
  CHECK(failure(kPut + expect + "is = \"timeout\"\n").starts_with("put of bob at 5s was ok after"));
  CHECK(failure(kPut + expect + "at_least = 3\n") == "put of bob at 5s has 2");
  CHECK(failure(kPut + expect + "pending = true\n") == "put of bob at 5s is not pending");
}

TEST_CASE("play: how long something took is judged by what else took") {
  const std::string both =
      "[link]\nlatency = \"20ms\"\n"
      "[[step]]\nat = \"4s\"\ndo = \"ping\"\nwho = \"bob\"\nto = \"alice\"\nas = \"p\"\n"
      "[[step]]\nat = \"5s\"\ndo = \"ping\"\nwho = \"bob\"\nto = \"carl\"\nas = \"q\"\n"
      "[[expect]]\nwhat = \"latency\"\nof = \"p\"\npercentile = 99\nthan = \"q\"\n";
  CHECK(failure(both + "times = 1.5\n").empty());
  const std::string found = failure(both + "times = 0.5\n");
  CHECK(found.starts_with("p99 is "));
  CHECK(found.find(" of 1, that of q ") != std::string::npos);
  CHECK(failure(both + "times = 1.5\nwithin = \"1ms\"\n").starts_with("p99 is "));
}

TEST_CASE("play: a lookup is exact that misses nobody who was there all the while") {
  const std::string lookup =
      "[[step]]\nat = \"35s\"\ndo = \"closest\"\nwho = \"bob\"\nkey = \"anything\"\nas = \"l\"\n"
      "[[expect]]\nwhat = \"exact\"\nof = \"l\"\nshare = \"100%\"\n";
  const auto found = [&](const std::string& trouble) {
    return failure(played(trouble + lookup, 1, "", "60s"));
  };
  CHECK(found("").empty());
  CHECK(found("[[step]]\nat = \"30s\"\ndo = \"partition\"\ngroups = [\"carl\", [\"alice\", "
              "\"bob\"]]\n") == "0 of 1 missed nobody");
  CHECK(found("[[step]]\nat = \"30s\"\ndo = \"kill\"\nwho = \"carl\"\n").empty());
  CHECK(found("[[step]]\nat = \"1s\"\ndo = \"kill\"\nwho = \"carl\"\n"
              "[[step]]\nat = \"34s\"\ndo = \"restart\"\nwho = \"carl\"\n")
            .empty());
}

TEST_CASE("play: messages that did not come are named") {
  const std::string cut = "[[step]]\nat = \"4s\"\ndo = \"freeze\"\nwho = \"carl\"\n";
  const std::string expect = "[[expect]]\nwhat = \"delivered\"\ntopic = \"t\"\n";
  CHECK(failure(kSpeak + expect + "within = \"1s\"\n").empty());
  CHECK(failure(kSpeak + expect + "within = \"1us\"\n").find("message 1 of bob late at alice") !=
        std::string::npos);
  CHECK(failure(kSpeak + expect + "equals = 2\n") == "from 1 to 1 messages at each");
  CHECK(failure(kSpeak + cut + expect).empty());  // nothing is due at who answers nothing
}

TEST_CASE("play: pairs, meshes and counters are looked at when they should be") {
  CHECK(failure("[[expect]]\nwhat = \"knows\"\nwho = \"all\"\nwhom = \"all\"\nby = \"9s\"\n")
            .empty());
  CHECK(failure(
            "[[expect]]\nwhat = \"connected\"\nwho = \"bob\"\nwhom = \"alice\"\nat = \"1ns\"\n") ==
        "bob is not connected to alice");
  CHECK(failure(kSpeak + "[[expect]]\nwhat = \"mesh\"\ntopic = \"t\"\nat_least = 3\n")
            .ends_with(" has 2"));
  CHECK(failure(kSpeak + "[[expect]]\nwhat = \"stat\"\nstat = \"gossip.delivered\"\nwho = "
                         "\"alice\"\nequals = 0\n") == "alice has 1");
}

TEST_CASE("play: killed nodes lose their operations, and come back subscribed") {
  const RunResult run =
      played(kSpeak +
             "[[step]]\nat = \"2s\"\ndo = \"kill\"\nwho = \"carl\"\n"
             "[[step]]\nat = \"3s\"\ndo = \"restart\"\nwho = \"carl\"\n"
             "[[expect]]\nwhat = \"delivered\"\ntopic = \"t\"\nequals = 1\nwithin = \"1s\"\n");
  CHECK(failure(run).empty());
  CHECK(run.deliveries_due == 2);
}

TEST_CASE("play: a partition parts, and healing joins again") {
  const std::string parted =
      "[[step]]\nat = \"4s\"\ndo = \"partition\"\ngroups = [\"alice\", [\"bob\", \"carl\"]]\n"
      "[[step]]\nat = \"5s\"\ndo = \"ping\"\nwho = \"bob\"\nto = \"alice\"\ntimeout = \"1s\"\nas = "
      "\"parted\"\n"
      "[[expect]]\nwhat = \"result\"\nof = \"parted\"\nis = \"timeout\"\n"
      "[[step]]\nat = \"7s\"\ndo = \"heal\"\n"
      "[[step]]\nat = \"9s\"\ndo = \"ping\"\nwho = \"bob\"\nto = \"alice\"\nas = \"healed\"\n"
      "[[expect]]\nwhat = \"result\"\nof = \"healed\"\n";
  CHECK(failure(parted).empty());
}

TEST_CASE(
    "play: churn takes nodes away and brings them back, and what they lose is not held against "
    "them") {
  const RunResult run = played(
      "[[step]]\nat = \"0s\"\ndo = \"subscribe\"\nwho = \"all\"\ntopic = \"t\"\n"
      "[[step]]\nat = \"1s\"\ndo = \"get\"\nwho = \"bob\"\nkey = \"/v/{n}\"\nrepeat = 80\nevery = "
      "\"100ms\"\nas = \"asked\"\n"
      "[[churn]]\nwho = \"bob\"\nfrom = \"1s\"\nuntil = \"9s\"\nsession = {exponential = "
      "\"500ms\"}\n"
      "downtime = \"300ms\"\nvanish = 0\norderly = \"50%\"\n"
      "[[expect]]\nwhat = \"connected\"\nwho = \"bob\"\nwhom = \"alice\"\nfrom = \"9s\"\nby = "
      "\"10s\"\n"
      "[[expect]]\nwhat = \"mesh\"\ntopic = \"t\"\nat_least = 1\n");
  CHECK(failure(run).empty());
  CHECK(run.operations.at("get").started < 80);  // those of a node that is away are not begun
  CHECK(run.operations.at("get").started > 20);
}

TEST_CASE(
    "play: an operation that a peer's going ended has failed, and is not lost with its node") {
  const RunResult run = played(
      "[[churn]]\nwho = \"bob\"\nfrom = \"1s\"\nuntil = \"9s\"\nsession = \"500ms\"\n"
      "downtime = \"300ms\"\norderly = \"100%\"\n"
      "[[step]]\nat = \"1s\"\ndo = \"ping\"\nwho = \"alice\"\nto = \"bob\"\nrepeat = "
      "4000\nevery = \"2ms\"\ntimeout = \"200ms\"\n"
      "[link]\nlatency = \"20ms\"\n");
  const Operations& pings = run.operations.at("ping");
  CHECK(pings.lost == 0);  // Alice was there all the time
  CHECK(pings.failures.contains("closed"));
}

TEST_CASE("play: an operation may end so much later as its node stood still") {
  const std::string frozen =
      "[[step]]\nat = \"4s\"\ndo = \"freeze\"\nwho = [\"alice\", \"carl\"]\n"
      "[[step]]\nat = \"5s\"\ndo = \"get\"\nwho = \"bob\"\nkey = \"/v/k\"\ntimeout = \"1s\"\nas = "
      "\"g\"\n"
      "[[step]]\nat = \"5500ms\"\ndo = \"freeze\"\nwho = \"bob\"\n";
  const std::string thawed = "[[step]]\nat = \"8s\"\ndo = \"thaw\"\nwho = \"bob\"\n";
  CHECK(failure(frozen).empty());
  CHECK(failure(frozen + thawed).empty());
  CHECK(failure(frozen + thawed + "[[expect]]\nwhat = \"result\"\nof = \"g\"\nwithin = \"1s\"\n")
            .starts_with("get of bob at 5s was timeout after 3"));
}

TEST_CASE("play: what is about nobody fails, and is told apart") {
  for (const char* about :
       {"what = \"knows\"\nwho = \"first 0\"\nwhom = \"all\"\n",
        "what = \"connected\"\nwho = \"bob\"\nwhom = \"bob\"\n",
        "what = \"in_mesh\"\ntopic = \"t\"\nwho = \"bob\"\nwhom = \"first 0\"\n",
        "what = \"stat\"\nstat = \"gossip.delivered\"\nwho = [\"bob\", \"!bob\"]\nequals = 7\n"}) {
    const RunResult run = played(std::string("[[expect]]\nsays = \"it\"\n") + about);
    CHECK_MESSAGE(failure(run) == "nobody is meant", about);
    CHECK(run.failure() == "it");
    CHECK_FALSE(run.fails_as("it"));
    CHECK_FALSE(run_from_json(to_json(run, false))->fails_as("it"));
  }
}

TEST_CASE("play: churn of an empty draw is nobody's") {
  const std::string churn =
      "[[churn]]\nwho = \"random 0\"\nsession = \"500ms\"\ndowntime = \"500ms\"\n"
      "[[step]]\nat = \"2s\"\ndo = \"ping\"\nwho = \"bob\"\nto = \"alice\"\nrepeat = 50\nevery = "
      "\"100ms\"\nas = \"p\"\n[[expect]]\nwhat = \"result\"\nof = \"p\"\n";
  CHECK(failure(churn).empty());
}

TEST_CASE("play: a message is due at those who stayed, and a scenario may require how many") {
  const std::string gone = "[[step]]\nat = \"4s\"\ndo = \"kill\"\nwho = \"carl\"\n";
  const std::string expect = "[[expect]]\nwhat = \"delivered\"\ntopic = \"t\"\nwithin = \"1s\"\n";
  CHECK(failure(kSpeak + gone + expect).empty());
  CHECK(failure(kSpeak + gone + expect + "due_at_least = \"50%\"\n").empty());
  CHECK(failure(kSpeak + gone + expect + "due_at_least = \"60%\"\n")
            .starts_with("due at 1 of 2 subscribers only"));
  const std::string later = "[[step]]\nat = \"7s\"\ndo = \"kill\"\nwho = \"carl\"\n";
  CHECK(played(kSpeak + later + expect).verdicts.at(0).detail.starts_with("2 of 2 deliveries"));
}

TEST_CASE("play: the share of what was due is never more than the whole") {
  // Carl is down when it is published, and hears of it all the same.
  const RunResult run = played(kSpeak +
                               "[[step]]\nat = \"4s\"\ndo = \"freeze\"\nwho = \"carl\"\n"
                               "[[step]]\nat = \"5500ms\"\ndo = \"thaw\"\nwho = \"random 1\"\n");
  CHECK(run.deliveries == 2);
  CHECK(run.deliveries_due == 1);
  CHECK(figures(run).at("delivered_share") == 1);
}

TEST_CASE("play: {n}, {r} and {node} are the same in a key and in what is put there") {
  const std::string put =
      "[[step]]\nat = \"4s\"\ndo = \"publish\"\nwho = \"alice\"\ntopic = \"t\"\n"
      "[[step]]\nat = \"5s\"\ndo = \"put\"\nwho = \"bob\"\nkey = \"/v/{n}\"\nvalue = "
      "\"{n}-{r}-{node}\"\nrepeat = 3\nevery = \"10ms\"\n"
      "[[step]]\nat = \"6s\"\ndo = \"get\"\nwho = \"carl\"\nkey = \"/v/2\"\nas = \"g\"\n"
      "[[expect]]\nwhat = \"result\"\nof = \"g\"\nvalue = \"2-0-1\"\n";
  CHECK(failure(put).empty());
}

// Bob puts, Carl reads; five who lie come before or after.
std::string gang(const std::string& does, const std::string& more = "") {
  return "[[adversary]]\ncount = 5\nagain = \"1s\"\ndoes = \"" + does + "\"\n" + more;
}

TEST_CASE("play: adversaries enter tables, are asked, and are no nodes") {
  const RunResult run = played(gang("silent") + kPut +
                               "[[expect]]\nwhat = \"captured\"\nwho = \"carl\"\nat_most = 0.5\n");
  // Whom of them it knows by then is the table's affair.
  const double theirs = figures(run).at("adversary_share_of_tables");
  CHECK(failure(run).ends_with(" that carl knows are adversaries"));
  CHECK(theirs > 0.5);
  CHECK(theirs < 1);
  CHECK(run.nodes == 3);
  CHECK(run.adversaries.count == 5);
  CHECK(run.adversaries.requests > 0);
  CHECK(run_from_json(to_json(run, false))->adversaries.theirs == run.adversaries.theirs);
  CHECK(played(kPut).adversaries.count == 0);
  CHECK_FALSE(figures(played(kPut)).contains("adversary_requests"));
  CHECK(failure(kPut + "[[expect]]\nwhat = \"captured\"\nwho = \"carl\"\nat_most = 0\n").empty());
}

TEST_CASE("play: those who come late are not there before") {
  CHECK(failure(gang("lie", "from = \"5s\"\n") +
                "[[expect]]\nwhat = \"captured\"\nwho = \"all\"\nat_most = 0\nat = \"4s\"\n"
                "[[expect]]\nwhat = \"captured\"\nwho = \"all\"\nat_least = 0.1\n")
            .empty());
}

TEST_CASE("play: whom adversaries do not contact does not know them of itself") {
  const std::string come = "from = \"5s\"\n", at = "at = \"5900ms\"\n";
  const std::string some = "[[expect]]\nwhat = \"captured\"\nwho = \"alice\"\nat_least = 0.1\n";
  const std::string none =
      "[[expect]]\nwhat = \"captured\"\nwho = [\"bob\", \"carl\"]\nat_most = 0\n";
  CHECK(failure(gang("silent", come + "contact = \"alice\"\n") + some + at + none + at).empty());
  CHECK(failure(gang("silent", come) + none + at).ends_with("knows are adversaries"));
}

TEST_CASE("play: two gangs have networks of their own, and one has none") {
  const std::string spread = "[addresses]\nscope = \"public\"\n";
  const RunResult run = played(spread + gang("silent", "networks = 2\n") + gang("drop") +
                               gang("lie", "networks = 1\n"));
  CHECK(failure(run).empty());
  CHECK(run.adversaries.count == 15);
}

TEST_CASE("play: adversaries are as many as planned, though fewer fit into a table") {
  const std::string small = "[kad]\nk = 2\n";
  const RunResult run = played(small + gang("silent", "around = \"bob\"\ndrawn = 1\n"));
  CHECK(failure(run).empty());
  CHECK(run.adversaries.count == 5);
}

TEST_CASE("play: nothing of an adversary's is left at the end, whatever it does") {
  for (const char* does : {"silent", "refuse", "lie", "drop"}) {
    const RunResult run =
        played(gang(does, "near = \"/v/k\"\n") + kPut +
               "[[step]]\nat = \"6s\"\ndo = \"get\"\nwho = \"carl\"\nkey = \"/v/k\"\n"
               "[[step]]\nat = \"9900ms\"\ndo = \"get\"\nwho = \"alice\"\nkey = \"/v/k\"\n");
    CHECK_MESSAGE(failure(run).empty(), does, ": ", failure(run));
    CHECK_MESSAGE(run.adversaries.requests > 0, does);
  }
}

const std::string kSybils = "[[adversary]]\ncount = 5\nagain = \"500ms\"\ngossip = {}\n";

TEST_CASE("play: Sybils graft, and keep messages back") {
  const std::string alone = "[[step]]\nat = \"2s\"\ndo = \"cut\"\nwho = \"bob\"\nto = \"all\"\n";
  const std::string expect = "[[expect]]\nwhat = \"delivered\"\ntopic = \"t\"\nwithin = \"1s\"\n";
  const RunResult silent = played(kSybils + alone + kSpeak + expect + "below = \"1%\"\n");
  CHECK(failure(silent).empty());
  CHECK(silent.verdicts.front().detail.starts_with("0 of 2 deliveries"));
  std::string loud = kSybils;
  loud.replace(loud.find("{}"), 2, "{drops = 0}");
  CHECK(failure(played(loud + alone + kSpeak + expect)).empty());
  CHECK(failure(loud + alone + kSpeak + expect + "below = \"100%\"\n")
            .starts_with("2 of 2 deliveries"));
}

TEST_CASE("play: Sybils connect to so many each as they are told") {
  const auto peers = [](const std::string& more) {
    return played(kSybils + more + kSpeak).series.column("peers").back();
  };
  CHECK(peers("") == doctest::Approx(2 + 5));
  CHECK(peers("connections = 1\n") == doctest::Approx(2 + 5.0 / 3));
}

TEST_CASE("play: an address that Sybils share is held against them") {
  const std::string scored =
      "[gossip]\nscores = {preset = \"colocation\", colocation_threshold = 2}\n";
  const auto mesh = [](int least, int most) {
    return "[[expect]]\nwhat = \"mesh\"\ntopic = \"t\"\nat_least = " + std::to_string(least) +
           "\nat_most = " + std::to_string(most) + "\n";
  };
  CHECK(failure(scored + kSybils + kSpeak + mesh(3, 7)).empty());
  CHECK(failure(scored + kSybils + "addresses = 1\n" + kSpeak + mesh(2, 2)).empty());
}

TEST_CASE("play: faults do nothing to adversaries") {
  const RunResult run = played(gang("silent") +
                               "[[faults]]\nuntil = \"9s\"\npause = \"50ms\"\n"
                               "one_in = 1\nweights = {kill = 1}\n");
  CHECK(failure(run).empty());
}

TEST_CASE("play: faults come by the seed, and are undone") {
  const std::string faults =
      "[[faults]]\nfrom = \"1s\"\nuntil = \"6s\"\npause = \"200ms\"\nlasts = {uniform = "
      "[\"100ms\", \"1s\"]}\n"
      "[[expect]]\nwhat = \"knows\"\nwho = \"all\"\nwhom = \"all\"\nfrom = \"6s\"\nby = \"10s\"\n";
  const RunResult run = played(faults, 3);
  CHECK(failure(run).empty());
  CHECK(run.trace_hash == played(faults, 3).trace_hash);
  CHECK(run.trace_hash != played(faults, 4).trace_hash);
}

}  // namespace
}  // namespace kadmesh::kadsim
