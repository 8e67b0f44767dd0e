// A scenario file as it was written: keys in their order, each value with its line. What edits a
// scenario (--set, --nodes, --vary, shrink) edits this tree; scenario.h says what one means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace kadmesh::kadsim {

struct Value;
struct Entry;
using List = std::vector<Value>;
using Table = std::vector<Entry>;  // keys are unique

struct Value {
  std::variant<bool, std::int64_t, double, std::string, List, Table> data;
  unsigned line = 0;  // 0: it came from the command line

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&data);
  }
};
struct Entry {
  std::string key;
  Value value;
};

// Null when the key is not there.
const Value* find(const Table& table, std::string_view key);
Value* find(Table& table, std::string_view key);
void remove_key(Table& table, std::string_view key);

// "gossip.d" = 8: makes the tables on the way. Of a list a number names one: "adversary.0.count".
// Errc::invalid when one of them is neither.
Result<void> set(Table& root, std::string_view path, Value value);

// What stands in a file; the same text again when read and written once more.
std::string to_toml(const Table& root);
std::string to_toml(const Value& value);  // on one line
// "a number", "a list": for messages.
std::string_view kind_of(const Value& value);

}  // namespace kadmesh::kadsim
