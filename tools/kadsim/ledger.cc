#include "kadsim/ledger.h"

#include <algorithm>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {

std::size_t Ledger::begin(Verb verb, const std::string& label, NodeIndex node, Duration at,
                          Duration limit) {
  records_.push_back({verb, label, node, at, limit, std::nullopt, false, {}});
  return records_.size() - 1;
}

void Ledger::known_as(std::size_t record, std::uint64_t number) {
  const Key key{records_.at(record).node, number};
  running_[key] = record;
  if (const auto early = early_.extract(key)) {
    auto& [at, outcome] = early.mapped();
    end(record, at, std::move(outcome));
  }
}

void Ledger::end(std::size_t record, Duration at, Outcome outcome) {
  OperationRecord& ended = records_.at(record);
  if (!ended.running()) {
    if (!ended_twice_) ended_twice_ = record;
    return;
  }
  ended.ended = at;
  if (ended.verb != Verb::publish) {
    ++done_;
    if (outcome.error.empty()) ++succeeded_;
  }
  ended.outcome = std::move(outcome);
}

void Ledger::ended(Key key, Duration at, Outcome outcome) {
  const auto found = running_.find(key);
  if (found != running_.end())
    end(found->second, at, std::move(outcome));
  else
    early_.insert_or_assign(key, std::pair(at, std::move(outcome)));
}

void Ledger::lost(NodeIndex node) {
  const auto from = running_.lower_bound({node, 0}), to = running_.lower_bound({node + 1, 0});
  for (auto at = from; at != to; ++at)
    if (records_[at->second].running()) records_[at->second].lost = true;
  running_.erase(from, to);
  // Its next life numbers from the start again.
  early_.erase(early_.lower_bound({node, 0}), early_.lower_bound({node + 1, 0}));
}

void Ledger::froze(NodeIndex node, Duration at) { slowed(node, at, Duration::max()); }

void Ledger::thawed(NodeIndex node, Duration at) {
  for (Span& span : hindered_[node])
    if (span.until == Duration::max()) span.until = at;
}

void Ledger::slowed(NodeIndex node, Duration from, Duration until) {
  hindered_[node].push_back({from, until});
}

// How much of that time it was.
Duration Ledger::hindered(NodeIndex node, Duration from, Duration until) const {
  Duration sum{};
  const auto found = hindered_.find(node);
  if (found == hindered_.end()) return sum;
  for (const Span& span : found->second) {
    const Duration begin = std::max(span.from, from), end = std::min(span.until, until);
    if (begin >= end) continue;
    sum += end - begin;
    from = end;  // what two of them share counts once
  }
  return sum;
}

void Ledger::count(const OperationRecord& record, Operations& into) {
  ++into.started;
  if (record.lost) ++into.lost;
  if (!record.ended) return;
  if (record.outcome.hops) into.hops.add(*record.outcome.hops);
  if (record.outcome.asked) into.asked.add(*record.outcome.asked);
  if (!record.outcome.error.empty()) return void(++into.failures[record.outcome.error]);
  ++into.succeeded;
  if (record.outcome.exact) ++into.compared;
  if (record.outcome.exact.value_or(false)) ++into.exact;
  into.latency.add(static_cast<std::uint64_t>((*record.ended - record.started) / 1us));
}

std::map<std::string, Operations> Ledger::totals() const {
  std::map<std::string, Operations> out;
  for (const OperationRecord& record : records_)
    if (record.verb != Verb::publish) count(record, out[std::string(name(record.verb))]);
  return out;
}

Operations Ledger::of(std::string_view kind_or_label) const {
  Operations out;
  for (const OperationRecord& record : records_)
    if (record.label == kind_or_label || name(record.verb) == kind_or_label) count(record, out);
  return out;
}

std::string Ledger::to_csv(const Population& population) const {
  const auto seconds = [](Duration time) {
    return number_text(static_cast<double>(time.count()) / 1e9);
  };
  std::string out = "operation,label,node,started_s,took_s,result,hops,asked\n";
  for (const OperationRecord& record : records_) {
    const Outcome& outcome = record.outcome;
    const std::string_view is = record.lost             ? "lost"
                                : !record.ended         ? "running"
                                : outcome.error.empty() ? "ok"
                                                        : std::string_view(outcome.error);
    out.append(name(record.verb)).append(",").append(csv_cell(record.label)).append(",");
    out.append(population.name(record.node))
        .append(",")
        .append(seconds(record.started))
        .append(",");
    out.append(record.ended ? seconds(*record.ended - record.started) : "").append(",").append(is);
    out.append(",").append(outcome.hops ? std::to_string(*outcome.hops) : "");
    out.append(",").append(outcome.asked ? std::to_string(*outcome.asked) : "").append("\n");
  }
  return out;
}

std::string Ledger::broken(Duration now, Duration slack, const Population& population) const {
  const auto line = [&](const OperationRecord& record, const std::string& what) {
    return std::string(name(record.verb)) + " of " + population.name(record.node) + " at " +
           to_text(record.started) + " " + what;
  };
  if (ended_twice_) return line(records_[*ended_twice_], "ended twice");
  for (const OperationRecord& record : records_) {
    if (record.lost) continue;
    const Duration end = record.ended.value_or(now);
    const Duration over = end - record.started - record.limit - slack;
    if (over > Duration::zero() && over > hindered(record.node, record.started, end))
      return line(record, std::string(record.ended ? "ended" : "still runs") + " after " +
                              to_text(end - record.started) + "; its limit was " +
                              to_text(record.limit));
  }
  return {};
}

}  // namespace kadmesh::kadsim
