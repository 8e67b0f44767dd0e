#include "kadsim/shrink.h"

#include <algorithm>
#include <array>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

// Sections whose whole point is to make trouble.
constexpr std::array<std::string_view, 4> kTrouble{"churn", "faults", "link", "host"};
// Lists of which any part may go.
constexpr std::array<std::string_view, 4> kLists{"expect", "step", "role", "adversary"};

class Shrinker {
 public:
  Shrinker(Table scenario, const Try& attempt, std::size_t most,
           const std::function<void(std::size_t, const Table&)>& progress)
      : attempt_(attempt), most_(most), progress_(progress) {
    now_.scenario = std::move(scenario);
  }

  Shrunk run() {
    while (round()) {
    }
    return std::move(now_);
  }

 private:
  // Whether anything went.
  bool round() {
    bool smaller = false;
    for (const std::string_view section : kTrouble) smaller = drop_section(section) || smaller;
    for (const std::string_view list : kLists) smaller = shorten_list(list) || smaller;
    smaller = fewer_nodes() || smaller;
    smaller = fewer_repeats() || smaller;
    smaller = sooner_end() || smaller;
    return smaller && now_.tried < most_;
  }

  bool works(Table candidate) {
    if (now_.tried >= most_) return false;
    ++now_.tried;
    if (!attempt_(candidate)) return false;
    now_.scenario = std::move(candidate);
    if (progress_) progress_(now_.tried, now_.scenario);
    return true;
  }

  bool drop_section(std::string_view key) {
    if (!find(now_.scenario, key)) return false;
    Table candidate = now_.scenario;
    remove_key(candidate, key);
    return works(std::move(candidate));
  }

  // Parts of half the list, of a quarter, ... of one: each may go.
  bool shorten_list(std::string_view key) {
    const Value* value = find(now_.scenario, key);
    if (!value || !value->as<List>()) return false;
    bool smaller = false;
    for (std::size_t part = std::max<std::size_t>(1, value->as<List>()->size() / 2);; part /= 2) {
      smaller = remove_parts(key, part) || smaller;
      if (part <= 1) return smaller;
    }
  }

  // From the back: what comes later depends on what came before.
  bool remove_parts(std::string_view key, std::size_t part) {
    bool smaller = false;
    for (std::size_t end = length(key); end > 0; end -= std::min(end, part)) {
      Table candidate = now_.scenario;
      List& list = *find(candidate, key)->as<List>();
      const std::size_t from = end - std::min(end, part);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(from),
                 list.begin() + static_cast<std::ptrdiff_t>(end));
      if (list.empty()) remove_key(candidate, key);
      smaller = works(std::move(candidate)) || smaller;
      if (length(key) < from) return smaller;
    }
    return smaller;
  }

  std::size_t length(std::string_view key) const {
    const Value* value = find(now_.scenario, key);
    const List* list = value ? value->as<List>() : nullptr;
    return list ? list->size() : 0;
  }

  // The least number between `least` and what stands there with which it still fails, by halving.
  bool lower(std::int64_t now, std::int64_t least,
             const std::function<void(Table&, std::int64_t)>& put) {
    bool smaller = false;
    std::int64_t passes = least - 1;  // the greatest known not to do
    while (now - passes > 1 && now_.tried < most_) {
      const std::int64_t middle = passes + (now - passes) / 2;
      Table candidate = now_.scenario;
      put(candidate, middle);
      if (works(std::move(candidate))) {
        now = middle;
        smaller = true;
      } else {
        passes = middle;
      }
    }
    return smaller;
  }

  bool fewer_nodes() {
    const Value* value = find(now_.scenario, "nodes");
    const std::int64_t* nodes = value ? value->as<std::int64_t>() : nullptr;
    return nodes && lower(*nodes, 1, [](Table& scenario, std::int64_t count) {
             find(scenario, "nodes")->data = count;
           });
  }

  bool fewer_repeats() {
    bool smaller = false;
    for (std::size_t i = 0; i < length("step"); ++i) {
      const Table* step = (*find(now_.scenario, "step")->as<List>())[i].as<Table>();
      const Value* value = step ? find(*step, "repeat") : nullptr;
      const std::int64_t* repeat = value ? value->as<std::int64_t>() : nullptr;
      if (!repeat) continue;
      const auto put = [i](Table& scenario, std::int64_t count) {
        find(*(*find(scenario, "step")->as<List>())[i].as<Table>(), "repeat")->data = count;
      };
      smaller = lower(*repeat, 1, put) || smaller;
    }
    return smaller;
  }

  // In whole seconds: a shorter end is easier to read and plays as fast.
  bool sooner_end() {
    const Value* value = find(now_.scenario, "duration");
    const std::string* text = value ? value->as<std::string>() : nullptr;
    const auto time = text ? parse_duration(*text) : Result<Duration>(Duration::zero());
    if (!time || *time <= 1s) return false;
    const std::int64_t seconds = (*time + 1s - 1ns) / 1s;
    return lower(seconds, 1, [](Table& scenario, std::int64_t count) {
      find(scenario, "duration")->data = to_text(std::chrono::seconds(count));
    });
  }

  Shrunk now_;
  const Try& attempt_;
  std::size_t most_;
  const std::function<void(std::size_t, const Table&)>& progress_;
};

}  // namespace

Shrunk shrink(Table scenario, const Try& attempt, std::size_t most_tries,
              const std::function<void(std::size_t, const Table&)>& progress) {
  return Shrinker(std::move(scenario), attempt, most_tries, progress).run();
}

std::string size_of(const Table& scenario) {
  const Value* nodes = find(scenario, "nodes");
  const Value* duration = find(scenario, "duration");
  const Value* steps = find(scenario, "step");
  const List* list = steps ? steps->as<List>() : nullptr;
  const std::size_t count = list ? list->size() : 0;
  std::string out = (nodes ? to_toml(*nodes) : "?") + " nodes, " + std::to_string(count) + " steps";
  if (duration && duration->as<std::string>())
    out.append(", ").append(*duration->as<std::string>());
  return out;
}

}  // namespace kadmesh::kadsim
