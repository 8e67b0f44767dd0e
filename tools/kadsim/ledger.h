// Every operation of a run: who began it when, and how it ended. Each ends once, by its deadline.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kadsim/result.h"
#include "kadsim/selector.h"
#include "kadsim/step.h"

namespace kadmesh::kadsim {

// Of an operation that succeeded, as far as it has such a thing.
struct Outcome {
  std::string error;  // the name of its Errc; empty when it succeeded
  std::string value;
  std::optional<bool> pending;
  std::optional<std::size_t> count;  // acknowledged a put; providers found
  std::optional<std::size_t> hops, asked;
  std::optional<bool> exact;  // of closest: nobody was missing
};

struct OperationRecord {
  Verb verb{};
  std::string label;
  NodeIndex node = 0;
  Duration started{}, limit{};
  std::optional<Duration> ended;
  bool lost = false;  // its own node went away meanwhile
  Outcome outcome;

  bool running() const { return !ended && !lost; }
};

class Ledger {
 public:
  using Key = std::pair<NodeIndex, std::uint64_t>;  // the node, and the number it gave

  // An operation that the node answers at once has no key and is ended in the same breath.
  std::size_t begin(Verb verb, const std::string& label, NodeIndex node, Duration at,
                    Duration limit);
  void known_as(std::size_t record, std::uint64_t number);
  void end(std::size_t record, Duration at, Outcome outcome);
  void ended(Key key, Duration at, Outcome outcome);
  // Every operation, a line: for operations.csv.
  std::string to_csv(const Population& population) const;
  // Nothing of that node's will end any more.
  void lost(NodeIndex node);
  // It stands still, and what it had begun may end so much later.
  void froze(NodeIndex node, Duration at);
  void thawed(NodeIndex node, Duration at);
  // Or takes its time, until then at the most.
  void slowed(NodeIndex node, Duration from, Duration until);

  std::uint64_t done() const { return done_; }  // that ended, publications left out
  std::uint64_t succeeded() const { return succeeded_; }
  const std::vector<OperationRecord>& records() const { return records_; }
  // By kind; a publication is none of these (messages.h).
  std::map<std::string, Operations> totals() const;
  // Of one kind or label, or of both.
  Operations of(std::string_view kind_or_label) const;
  // Empty, or the first that broke the rule: ended twice, or not by its deadline.
  // `now`: what is younger may still run. `slack`: what a deadline may be late by, besides the time
  // for which its node stood still or was slow.
  std::string broken(Duration now, Duration slack, const Population& population) const;

 private:
  struct Span {
    Duration from, until;
  };
  static void count(const OperationRecord& record, Operations& into);
  Duration hindered(NodeIndex node, Duration from, Duration until) const;

  std::vector<OperationRecord> records_;
  std::map<Key, std::size_t> running_;
  // Ended in the turn that began them, before their number was known here.
  std::map<Key, std::pair<Duration, Outcome>> early_;
  // When a node stood still or was slow; in the order of their beginnings.
  std::map<NodeIndex, std::vector<Span>> hindered_;
  std::optional<std::size_t> ended_twice_;
  std::uint64_t done_ = 0, succeeded_ = 0;
};

}  // namespace kadmesh::kadsim
