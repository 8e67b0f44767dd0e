// One table of a scenario, read key by key. The first thing wrong is kept and the rest passes, so
// that a reader names its keys one after the other and asks once, at the end, how it went.
//
//   FILE:LINE: PATH.KEY: what is wrong; what is allowed
//
// A key that nobody asked for is an error that lists those that somebody did.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "kadsim/value.h"

namespace kadmesh::kadsim {

class Fields {
 public:
  // `file`: for messages. `path`: where the table stands, "step" or "link.latency"; empty at the
  // top. All outlive this.
  Fields(std::string_view file, const Table& table, std::string path, unsigned line)
      : file_(file), table_(table), path_(std::move(path)), line_(line) {}

  // --- what is there, into `into`; what is not leaves it as it is
  void read(std::string_view key, std::string& into);
  void read(std::string_view key, bool& into);
  void read(std::string_view key, Duration& into);
  void read(std::string_view key, std::size_t& into, std::size_t least, std::size_t most);
  void read(std::string_view key, std::vector<std::string>& into);  // a text, or a list of them
  void read_bytes(std::string_view key, std::uint64_t& into);
  void read_bandwidth(std::string_view key, std::uint64_t& into);
  void read_share(std::string_view key, std::uint32_t& into);
  void read_number(std::string_view key, std::optional<double>& into);
  void read_seed(std::string_view key, std::uint64_t& into);
  template <class T>
  void read_some(std::string_view key, std::optional<T>& into) {
    if (!find(table_, key)) return ask(key);
    read(key, into.emplace());
  }
  template <class Enum>
  void choose(std::string_view key, Enum& into,
              std::span<const std::pair<std::string_view, Enum>> allowed) {
    const std::string* name = text(key);
    if (!name) return;
    std::string names;
    for (const auto& [word, value] : allowed) {
      if (word == *name) return void(into = value);
      names.append(names.empty() ? "" : ", ").append(word);
    }
    wrong(key, "'" + *name + "' is not one of " + names);
  }

  // --- what a reader finds out itself
  bool has(std::string_view key) { return value(key) != nullptr; }
  void need(std::string_view key, std::string_view like);  // an error when it is not there
  const Value* value(std::string_view key);                // null when it is not there
  const std::string* text(std::string_view key);           // null, also when it is no text
  const Table* table(std::string_view key);
  void wrong(std::string_view key, std::string what);  // at the key's line
  void check(std::string_view key, const Result<void>& outcome);
  // Errors of a part that was read by itself.
  void join(const Result<void>& part);

  bool good() const { return !error_; }
  // Ends the reading: the first error, or a key that was not asked for.
  Result<void> done(std::string_view of = {});

 private:
  void ask(std::string_view key) { asked_.emplace(key); }
  void wrong_kind(std::string_view key, const Value& value, std::string_view wanted);
  std::string where(unsigned line, std::string_view key) const;

  std::string_view file_;
  const Table& table_;
  std::string path_;
  unsigned line_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> error_;
};

// Of `names` the one that was probably meant; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace kadmesh::kadsim
