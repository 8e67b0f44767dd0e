// A lookup written as plainly as its rules are stated, beside the real one: both are fed the same
// events and must take the same steps. Used by the unit test and by the fuzz target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kad/lookup.h"
#include "kad/params.h"
#include "kad/policies.h"
#include "people.h"

namespace kadmesh::testing {

class LookupModel {
 public:
  static constexpr std::uint32_t kPeers = 96;

  // `shape` chooses k, alpha, beta and by which rule the walk ends.
  LookupModel(std::uint8_t shape, Time deadline)
      : params_{1 + shape % 7u, 1 + shape / 7 % 4u,
                std::min<std::size_t>(1 + shape / 28 % 3u, 1 + shape % 7u)},
        ends_by_(shape / 84 % 3),
        deadline_(deadline),
        real_(everybody()[0], kTarget, params_, deadline, rules(ends_by_)) {}

  // One event, chosen by two bytes.
  void step(std::uint8_t what, std::uint8_t who) {
    switch (what % 8) {
      case 0:
        now_ = after(now_, (who % 16) * 100ms);
        break;
      case 1:
        add(1 + who % (kPeers - 1));
        break;
      case 2:
        fail(pick(who));
        break;
      case 3:
        stalls(pick(who), after(now_, (what / 8) * 50ms));
        break;
      default:
        reply(pick(who), what / 8, who);
    }
  }

  // Empty when the two agree on what comes next, and take it.
  std::string difference() {
    const Lookup::Step real = real_.next(now_);
    const Lookup::Step plain = next();
    if (real.index() != plain.index()) return "another kind of step";
    if (const auto* ask = std::get_if<Lookup::Ask>(&real))
      if (ask->to.peer != std::get<Lookup::Ask>(plain).to.peer) return "asks another";
    if (const auto* wait = std::get_if<Lookup::Wait>(&real)) {
      const auto& same = std::get<Lookup::Wait>(plain);
      if (wait->until != same.until || wait->only_silent != same.only_silent) return "waits";
    }
    if (const auto* end = std::get_if<Lookup::Finished>(&real))
      if (end->end != std::get<Lookup::Finished>(plain).end) return "ends otherwise";
    return counted();
  }

 private:
  enum class State { heard, asked, answered, failed };
  struct Row {
    std::uint32_t number;
    Distance apart;
    State state = State::heard;
    std::size_t hop = 1;
    Time stalls{};
  };
  static inline const KadId kTarget = KadId::of(peer(7'777'777));

  static const std::vector<PeerId>& everybody() {
    static const std::vector<PeerId> all = [] {
      std::vector<PeerId> made;
      for (std::uint32_t i = 0; i < kPeers; ++i) made.push_back(peer(i));
      return made;
    }();
    return all;
  }
  static KadPolicies rules(unsigned ends_by) {
    KadPolicies all;
    all.termination = policies<Termination>()[ends_by].second;
    return all;
  }

  Row* row(std::uint32_t number) {
    const auto at = std::ranges::find(rows_, number, &Row::number);
    return at == rows_.end() ? nullptr : &*at;
  }
  // One of those that are asked, or somebody who is not.
  std::uint32_t pick(std::uint8_t who) {
    std::vector<std::uint32_t> asked;
    for (const Row& r : rows_)
      if (r.state == State::asked) asked.push_back(r.number);
    return asked.empty() || who >= 0xf0 ? who % kPeers : asked[who % asked.size()];
  }
  void hear(std::uint32_t number, std::size_t hop) {
    if (number == 0 || row(number) != nullptr) return;
    rows_.push_back(
        {number, distance(KadId::of(everybody()[number]), kTarget), State::heard, hop, {}});
    std::ranges::sort(rows_, {}, &Row::apart);
  }
  void add(std::uint32_t number) {
    real_.add(contact(number));
    if (Row* r = row(number); r && r->state == State::failed) r->state = State::heard;
    hear(number, 1);
  }
  void reply(std::uint32_t number, std::uint32_t count, std::uint32_t first) {
    std::vector<Contact> closer;
    for (std::uint32_t i = 0; i < count; ++i) closer.push_back(contact((first + i * 7) % kPeers));
    real_.on_reply(everybody()[number], closer);
    Row* r = row(number);
    if (r == nullptr || r->state != State::asked) return;
    r->state = State::answered;
    const std::size_t hop = r->hop + 1;
    for (std::uint32_t i = 0; i < std::min<std::size_t>(count, 2 * params_.k); ++i)
      hear((first + i * 7) % kPeers, hop);
  }
  void fail(std::uint32_t number) {
    real_.on_failure(everybody()[number]);
    if (Row* r = row(number); r && r->state == State::asked) r->state = State::failed;
  }
  void stalls(std::uint32_t number, Time when) {
    real_.stalls(everybody()[number], when);
    if (Row* r = row(number); r && r->state == State::asked) r->stalls = when;
  }

  std::vector<Row*> not_failed() {
    std::vector<Row*> all;
    for (Row& r : rows_)
      if (r.state != State::failed) all.push_back(&r);
    return all;
  }
  static bool all_answered(const std::vector<Row*>& rows, std::size_t count) {
    count = std::min(count, rows.size());
    return std::all_of(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count),
                       [](Row* r) { return r->state == State::answered; });
  }

  Lookup::Step next() {
    if (now_ >= deadline_) return Lookup::Finished{Lookup::End::expired};
    const std::vector<Row*> rows = not_failed();
    const bool any = std::ranges::any_of(rows, [](Row* r) { return r->state == State::answered; });
    if (all_answered(rows, ends_by_ == 2 ? params_.beta : params_.k))
      return Lookup::Finished{any ? Lookup::End::converged : Lookup::End::starved};
    std::size_t in_flight = 0, silent_near = 0;
    Time until = deadline_;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i]->state != State::asked) continue;
      const bool silent = now_ >= rows[i]->stalls;
      if (silent && i < params_.k) ++silent_near;
      if (silent) continue;
      ++in_flight;
      until = std::min(until, rows[i]->stalls);
    }
    const bool near = any && all_answered(rows, params_.beta);
    const std::size_t most = ends_by_ == 0 && near ? params_.k : params_.alpha;
    for (std::size_t i = 0; i < rows.size() && i < params_.k + silent_near; ++i) {
      if (rows[i]->state != State::heard || in_flight >= most) continue;
      rows[i]->state = State::asked;
      rows[i]->stalls = after(now_, kStall);
      return Lookup::Ask{contact(rows[i]->number)};
    }
    return Lookup::Wait{until, in_flight == 0};
  }

  std::string counted() {
    Lookup::Counts plain;
    std::vector<PeerId> answered, known;
    for (const Row& r : rows_) {
      if (r.state != State::failed) known.push_back(everybody()[r.number]);
      if (r.state == State::heard) continue;
      ++plain.asked;
      if (r.state == State::failed) ++plain.failed;
      if (r.state != State::answered) continue;
      ++plain.answered;
      plain.hops = std::max(plain.hops, r.hop);
      answered.push_back(everybody()[r.number]);
    }
    const Lookup::Counts real = real_.counts();
    if (real.asked != plain.asked || real.answered != plain.answered ||
        real.failed != plain.failed || real.hops != plain.hops)
      return "counts";
    if (ids(real_.answered(kPeers)) != answered) return "who answered";
    return ids(real_.known(kPeers)) == known ? "" : "who is known";
  }
  static std::vector<PeerId> ids(const std::vector<Contact>& contacts) {
    std::vector<PeerId> all;
    for (const Contact& each : contacts) all.push_back(each.peer);
    return all;
  }

  LookupParams params_;
  unsigned ends_by_;
  Time deadline_;
  Lookup real_;
  std::vector<Row> rows_;
  Time now_{};
};

}  // namespace kadmesh::testing
