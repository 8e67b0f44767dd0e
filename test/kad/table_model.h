// A routing table written as plainly as its rules are stated, beside the real one: both are fed the
// same events and must hold the same peers. Used by the unit test and by the fuzz target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kad/params.h"
#include "kad/routing_table.h"
#include "people.h"

namespace kadmesh::testing {

class TableModel {
 public:
  // So few that events meet the same peers again and again.
  static constexpr std::uint32_t kPeers = 48;

  TableModel(const PeerId& self, std::size_t k) : self_(self), k_(k), real_(self, k) {
    for (std::uint32_t i = 0; i < kPeers; ++i) everybody_.push_back(peer(i + 1));
  }

  // One event, chosen by two bytes.
  void step(std::uint8_t what, std::uint8_t who) {
    const std::uint32_t number = who % kPeers;
    const PeerId& id = everybody_[number];
    now_ = after(now_, 1s);
    switch (what % 8) {
      case 0:
      case 1:
        if (connected_.insert(number).second) connect(number, id);
        break;
      case 2:
        if (connected_.erase(number) > 0) disconnect(number, id);
        break;
      case 3:
      case 4:
        if (connected_.contains(number)) serves(number, id, what);
        break;
      case 5:
        remove(number);
        real_.on_refuses(id, "not a server");
        settle();
        break;
      case 6:
        if (connected_.contains(number)) answers(number, id, what);
        break;
      default:
        fails(number, id);
    }
  }

  // Empty when both hold the same, and answer the same.
  std::string difference() {
    while (const auto change = real_.poll()) {
      if (change->entered ? !told_.insert(change->peer).second : told_.erase(change->peer) == 0)
        return "a change told twice";
    }
    for (std::uint32_t i = 0; i < kPeers; ++i)
      if (auto text = differs(i); !text.empty()) return "peer " + std::to_string(i) + ": " + text;
    // Hashes everybody, so only now and then.
    if (auto text = round_ % 64 == 0 ? shown() : ""; !text.empty()) return text;
    return asked_in_order(KadId::of(everybody_[round_++ % kPeers]));
  }

 private:
  enum class Where { server, provisional, waiting };

  // What the table shows as a whole is what it shows one by one.
  std::string shown() const {
    const auto entries = real_.entries();
    if (entries.size() != real_.servers() + real_.provisional()) return "miscounted";
    for (const TableEntry& entry : entries)
      if (!real_.find(entry.contact.peer)) return "shows whom it does not hold";
    if (real_.depth().has_value() != (real_.servers() > 0)) return "a depth without servers";
    for (const PeerId& id : everybody_)
      if (real_.find(id).has_value() != !real_.why(id).starts_with("not in the table"))
        return "the reason for " + id.short_text() + " is about somebody else";
    return {};
  }

  struct Row {
    std::uint32_t number;
    Where where;
    bool connected;
    std::size_t failures;
    Time last_answer;
    std::vector<Dialable> addrs;
  };

  unsigned bucket_of(std::uint32_t number) const {
    return common_prefix(KadId::of(self_), KadId::of(everybody_[number]));
  }
  Row* row(std::uint32_t number) {
    for (Row& r : rows_)
      if (r.number == number) return &r;
    return nullptr;
  }
  void remove(std::uint32_t number) {
    std::erase_if(rows_, [&](const Row& r) { return r.number == number; });
  }
  std::vector<Row*> rows(unsigned bucket, Where where) {
    std::vector<Row*> found;
    for (Row& r : rows_)
      if (r.where == where && bucket_of(r.number) == bucket) found.push_back(&r);
    return found;
  }

  void connect(std::uint32_t number, const PeerId& id) {
    real_.on_connected(id, now_);
    if (Row* r = row(number)) {
      r->connected = true;
      r->failures = 0;
    } else if (rows(bucket_of(number), Where::provisional).size() < k_) {
      rows_.push_back({number, Where::provisional, true, 0, {}, {}});
    }
  }
  void disconnect(std::uint32_t number, const PeerId& id) {
    real_.on_disconnected(id);
    Row* r = row(number);
    if (!r) return;
    r->connected = false;
    if (r->where != Where::server || r->addrs.empty()) remove(number);
    settle();
  }
  // Some share a public network or its holder, some have no address, the others are at home.
  static std::vector<Dialable> addrs_of(std::uint32_t number, std::uint8_t what) {
    if (what >= 0xf8) return {};
    if (number % 3 == 0) return {Dialable(tcp(0x08080800 + number % 4 * 0x8000), Source::identify)};
    return listens_at(number);
  }
  void serves(std::uint32_t number, const PeerId& id, std::uint8_t what) {
    const auto addrs = addrs_of(number, what);
    real_.on_serves(id, addrs, now_);
    be_server(number, addrs);
  }
  void be_server(std::uint32_t number, const std::vector<Dialable>& addrs) {
    if (Row* r = row(number); r && r->where != Where::provisional) {
      r->addrs = addrs;
      return settle();
    }
    Row moved{number, Where::waiting, true, 0, {}, addrs};
    if (Row* r = row(number)) {
      moved.failures = r->failures;
      remove(number);
    }
    rows_.push_back(moved);
    settle();
    if (rows(bucket_of(number), Where::waiting).size() > kMostReplacements) remove(number);
  }
  void answers(std::uint32_t number, const PeerId& id, std::uint8_t what) {
    const auto addrs = addrs_of(number, what);
    real_.on_answered(id, addrs, now_);
    if (Row* r = row(number); !r || r->where == Where::provisional) be_server(number, addrs);
    if (Row* r = row(number)) {
      r->last_answer = now_;
      r->failures = 0;
    }
  }
  void fails(std::uint32_t number, const PeerId& id) {
    real_.on_failed(id, Error{Errc::timeout, ""});
    Row* r = row(number);
    if (!r) return;
    if (++r->failures >= kMostFailures) remove(number);
    settle();
  }

  bool has_room(unsigned bucket, const Row& waiting) {
    if (of_network(bucket, waiting) || of_holder(waiting)) return false;
    return rows(bucket, Where::server).size() < k_ || worst(bucket) != nullptr;
  }
  // Two of its /24 in the bucket, three of its /16 in the table.
  bool of_network(unsigned bucket, const Row& waiting) {
    const auto net = public_subnet(waiting.addrs);
    const auto same = std::ranges::count_if(
        rows(bucket, Where::server), [&](Row* r) { return net && public_subnet(r->addrs) == net; });
    return same >= 2;
  }
  bool of_holder(const Row& waiting) {
    const auto net = public_subnet(waiting.addrs);
    const auto same = std::ranges::count_if(rows_, [&](const Row& r) {
      const auto other = public_subnet(r.addrs);
      return r.where == Where::server && net && other && holding(*other) == holding(*net);
    });
    return same >= 3;
  }
  Row* worst(unsigned bucket) {
    Row* found = nullptr;
    for (Row* r : rows(bucket, Where::server)) {
      if (r->connected || r->failures == 0) continue;
      if (!found || r->failures > found->failures ||
          (r->failures == found->failures && r->last_answer < found->last_answer))
        found = r;
    }
    return found;
  }
  // Whoever waits anywhere, the farthest bucket first.
  void settle() {
    for (unsigned bucket = 0; bucket < kKadBits; ++bucket)
      for (const Row* waiting : rows(bucket, Where::waiting)) {
        const std::uint32_t number = waiting->number;
        if (!has_room(bucket, *waiting)) continue;
        if (rows(bucket, Where::server).size() >= k_) remove(worst(bucket)->number);
        Row entered = *row(number);
        entered.where = Where::server;
        remove(number);
        rows_.push_back(entered);
        return settle();
      }
  }

  std::string differs(std::uint32_t number) {
    const auto shown = real_.find(everybody_[number]);
    const Row* r = row(number);
    const bool here = r && r->where != Where::waiting;
    if (here != shown.has_value()) return here ? "missing" : "should not be there";
    const bool server = r && r->where == Where::server;
    if (server != told_.contains(everybody_[number])) return "its standing was not told";
    if (!here) return "";
    if (server != (shown->standing == Standing::server)) return "standing";
    if (r->connected != shown->connected || r->failures != shown->failures) return "state";
    return r->addrs == shown->contact.addrs ? "" : "addresses";
  }

  // Everything sorted, the simple way.
  std::string asked_in_order(const KadId& target) {
    std::vector<std::pair<Distance, PeerId>> fine, doubtful;
    for (const Row& r : rows_) {
      if (r.where == Where::waiting || (r.where == Where::provisional && !r.connected)) continue;
      const PeerId& id = everybody_[r.number];
      (r.failures == 0 ? fine : doubtful).emplace_back(distance(KadId::of(id), target), id);
    }
    std::ranges::sort(fine);
    std::ranges::sort(doubtful);
    fine.insert(fine.end(), doubtful.begin(), doubtful.end());
    if (fine.size() > 7) fine.resize(7, fine.front());
    std::ranges::sort(fine);
    const auto real = real_.to_ask(target, 7);
    if (real.size() != fine.size()) return "to_ask: how many";
    for (std::size_t i = 0; i < real.size(); ++i)
      if (real[i].peer != fine[i].second) return "to_ask: who";
    return "";
  }

  PeerId self_;
  std::size_t k_;
  RoutingTable real_;
  std::vector<PeerId> everybody_;
  std::vector<Row> rows_;
  std::set<std::uint32_t> connected_;
  std::set<PeerId> told_;
  std::uint32_t round_ = 0;
  Time now_{};
};

}  // namespace kadmesh::testing
