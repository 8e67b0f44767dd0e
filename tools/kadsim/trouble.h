// [[churn]] and [[faults]] of a scenario: what goes wrong by itself.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kadsim/fields.h"
#include "kadsim/selector.h"
#include "sim/churn.h"
#include "sim/faults.h"

namespace kadmesh::kadsim {

class Lab;
struct Scenario;

// Between `from` and `until`; at `until` everything is undone.
struct ChurnPlan {
  Selector who;
  Duration from{}, until{};
  ChurnConfig config;
  std::vector<ChurnEvent> trace;  // instead of the distributions, unless empty
};
struct FaultPlan {
  Selector spared;
  Duration from{}, until{};
  FaultConfig config;
};

// `end`: of the run, which `until` usually is.
Result<ChurnPlan> read_churn(const std::filesystem::path& file, const Value& value,
                             const Population& population, Duration end);
Result<FaultPlan> read_faults(const std::filesystem::path& file, const Value& value,
                              const Population& population, Duration end);

// All of a run.
class Trouble {
 public:
  // Both outlive this. `watch` hears of each fault; may be empty.
  Trouble(Lab& lab, const Scenario& scenario, std::uint64_t seed,
          std::function<void(const std::string&)> watch);
  ~Trouble();
  // Whatever still lasts is undone.
  void end();

 private:
  void begin_churn(const ChurnPlan& plan, std::size_t number);
  void begin_faults(const FaultPlan& plan, std::size_t number);
  void note(Fault fault, World::Index node);

  Lab& lab_;
  std::uint64_t seed_;
  std::function<void(const std::string&)> watch_;
  std::vector<std::unique_ptr<Churn>> churn_;
  std::vector<std::unique_ptr<Faults>> faults_;
};

}  // namespace kadmesh::kadsim
