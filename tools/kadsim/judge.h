// Holds a lab against what a scenario expects of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kadsim/lab.h"
#include "kadsim/result.h"

namespace kadmesh::kadsim {

class Judge {
 public:
  explicit Judge(const Lab& lab);  // which outlives this

  // When something must be looked at: the next such moment after `now`; the longest time if none.
  Duration next(Duration now) const;
  // At every moment that next() named, before anything else happens at it.
  void look();
  // The end: whatever has no verdict yet gets one, and the rules of every run.
  std::vector<Verdict> end();

  // How often what is watched for is looked at.
  static constexpr Duration kLook = 10ms;
  // By so much an operation may end after its deadline: the node's timer has its own grain.
  static constexpr Duration kDeadlineSlack = 100ms;

 private:
  struct Finding {
    bool holds = false;
    std::string detail{};
    bool judged = true;  // false: there was nothing to judge
  };
  struct Pending {
    const Expectation* expect = nullptr;
    std::optional<Verdict> verdict;
    std::map<NodeIndex, double> baseline;
    bool noted = false;  // the baseline
  };

  static Finding nothing(std::string why) { return {false, std::move(why), false}; }
  Finding find(const Pending& pending) const;
  Finding delivered(const Expectation& expect) const;
  Finding result(const Expectation& expect) const;
  Finding success(const Expectation& expect) const;
  Finding exact(const Expectation& expect) const;
  Histogram latencies(const std::string& of) const;
  Finding latency(const Expectation& expect) const;
  Finding hops(const Expectation& expect) const;
  Finding mesh(const Expectation& expect) const;
  template <class Holds>
  Finding pairs(const Expectation& expect, std::string_view what, Holds holds) const;
  Finding captured(const Expectation& expect) const;
  Finding stat(const Pending& pending) const;
  // Each of them runs and there is one; empty, or why not.
  std::string away(const std::vector<NodeIndex>& who) const;
  std::string unlike(const OperationRecord& record, const Expectation& expect) const;
  std::string name(NodeIndex node) const;
  void settle(Pending& pending, bool last);
  void note_baseline(Pending& pending) const;

  const Lab& lab_;
  std::vector<Pending> pending_;
};

}  // namespace kadmesh::kadsim
