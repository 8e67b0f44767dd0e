#include "kad/survey.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "asking.h"
#include "kad/params.h"
#include "kad/sweep_query.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::uint32_t kPeople = 24;
constexpr Duration kAnswer = 10ms;

// The surveys of one who knows everybody, where everybody knows everybody and k is 4.
struct Surveying : Asking {
  std::set<PeerId> dead;    // whom to ask fails
  std::set<PeerId> silent;  // never answer
  std::size_t lost = 0;     // the walk in which nobody can be reached; 0: none
  std::set<Bytes> walks;    // by what they were to

  Surveying() : Asking(kPeople) {
    config.k = 4;
    for (std::uint32_t i = 1; i <= kPeople; ++i) table.on_serves(peer(i), listens_at(i), now);
  }
  KadMessage everybody() const {
    KadMessage answer{KadType::find_node, {}, {}, {}, {}};
    for (std::uint32_t i = 1; i <= kPeople; ++i) answer.closer.push_back({peer(i), {home(i)}, {}});
    return answer;
  }
  // Whoever is asked answers or fails, until all is quiet; time passes only by the silent.
  void run(Survey& survey) {
    while (auto step = survey.next(turn())) {
      if (const auto* ask = std::get_if<AskPeer>(&*step))
        answer(survey, *ask);
      else if (const auto* rest = std::get_if<Rest>(&*step))
        now = std::max(rest->until, now + 1ns);
    }
  }
  void answer(Survey& survey, const AskPeer& ask) {
    const PeerId asked = ask.to.peer;
    walks.insert(ask.message.key);
    now += kAnswer;
    if (dead.contains(asked) || walks.size() == lost)
      survey.on_failure(asked);
    else if (!silent.contains(asked))
      survey.on_answer(asked, everybody());
  }
  // The k closest to a key of those who can be reached.
  std::vector<PeerId> closest(const Bytes& key) const {
    std::vector<PeerId> all;
    for (std::uint32_t i = 1; i <= kPeople; ++i)
      if (!dead.contains(peer(i)) && !silent.contains(peer(i))) all.push_back(peer(i));
    std::ranges::sort(all, {},
                      [&](const PeerId& id) { return distance(KadId::of(id), KadId::of(key)); });
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(std::min(config.k, all.size())), all.end());
    return all;
  }
};

const Bytes kAround = bytes("cid");

std::vector<PeerId> names(const std::vector<Contact>& contacts) {
  std::vector<PeerId> names;
  for (const Contact& each : contacts) names.push_back(each.peer);
  return names;
}

}  // namespace

TEST_CASE("survey: among those who answer it ends with a region whose closest are the closest") {
  Surveying s;
  Survey survey(s.view, kAround, s.turn(), at(10min));
  s.run(survey);
  CHECK(survey.over());
  REQUIRE(survey.found());
  CHECK(survey.region().prefix().bits > 0);
  CHECK(names(survey.region().closest(KadId::of(kAround))) == s.closest(kAround));
}

TEST_CASE("survey: a first walk that its time cuts short has found nothing") {
  Surveying s;
  for (std::uint32_t i = 1; i <= kPeople; ++i)
    if (peer(i) != s.closest(kAround).front()) s.silent.insert(peer(i));
  Survey survey(s.view, kAround, s.turn(), at(500ms));
  s.run(survey);
  CHECK(s.now >= at(500ms));
  CHECK(survey.over());
  CHECK_FALSE(survey.found());  // one has answered, and would be a region of all the space
}

TEST_CASE("survey: a first walk that lost so many that fewer than k are left has found nothing") {
  Surveying s;
  auto left = s.closest(kAround);
  left.pop_back();
  for (std::uint32_t i = 1; i <= kPeople; ++i)
    if (!std::ranges::count(left, peer(i))) s.dead.insert(peer(i));
  Survey survey(s.view, kAround, s.turn(), at(10min));
  s.run(survey);
  CHECK(survey.over());
  CHECK_FALSE(survey.found());
}

TEST_CASE("survey: of a network smaller than k all who answer are believed, whoever was lost") {
  for (const std::uint32_t lost : {0U, 3U}) {
    Surveying s;
    s.config.k = 2 * kPeople;
    for (std::uint32_t i = 1; i <= lost; ++i) s.dead.insert(peer(i));
    Survey survey(s.view, kAround, s.turn(), at(10min));
    s.run(survey);
    REQUIRE(survey.found());
    CHECK(survey.region().prefix().bits == 0);
    CHECK(survey.region().closest(KadId::of(kAround)).size() == kPeople - lost);
  }
}

TEST_CASE("survey: expired in the middle of its first walk it asks nobody any more") {
  Surveying s;
  Survey survey(s.view, kAround, s.turn(), at(10min));
  CHECK(survey.next(s.turn()));
  survey.expire();
  CHECK_FALSE(survey.next(s.turn()));
  CHECK(survey.over());
  CHECK_FALSE(survey.found());
}

// Those who answered the first walk are believed, whatever becomes of the walks into its gaps.
TEST_CASE("survey: a later walk that is cut short leaves what was found") {
  std::size_t lost_walks = 0;
  for (int number = 0; number < 10; ++number) {
    const Bytes around = bytes("cid " + std::to_string(number));
    Surveying whole;
    Survey undisturbed(whole.view, around, whole.turn(), at(10min));
    whole.run(undisturbed);
    for (std::size_t lost = 2; lost <= whole.walks.size(); ++lost) {
      CAPTURE(number);
      CAPTURE(lost);
      ++lost_walks;
      Surveying s;
      s.lost = lost;
      Survey survey(s.view, around, s.turn(), at(10min));
      s.run(survey);
      REQUIRE(survey.found());
      CHECK(survey.region().prefix().bits == undisturbed.region().prefix().bits);
      CHECK(names(survey.region().closest(KadId::of(around))) == s.closest(around));
    }
  }
  CHECK(lost_walks > 0);
}

TEST_CASE("sweep: whose survey is cut short by its deadline tells nobody, and all stays due") {
  Surveying s;
  bool wanted = false;
  const auto want = [&](Turn, const Row&) { return wanted = true; };
  s.own_addrs = {home(0)};
  const KadOp op = s.queries.start(
      s.turn(), std::make_unique<SweepQuery>(s.view, kAround, want, s.turn(), at(4s)),
      Purpose::sweep, at(4s));
  s.drain();
  REQUIRE_FALSE(s.requests.empty());
  s.reply(s.requests.front(), s.everybody());  // and the others never do
  s.pass(at(4s));
  REQUIRE(s.ended.size() == 1);
  CHECK(s.ended[0].op == op);
  CHECK_FALSE(s.ended[0].swept.up_to);
  CHECK(s.ended[0].swept.missed);
  CHECK(s.stores.empty());
  CHECK_FALSE(wanted);
}

}  // namespace kadmesh
