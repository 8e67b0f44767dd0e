#include "kadsim/fields.h"

#include <algorithm>
#include <numeric>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({change, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

constexpr std::size_t kMostNameForGuess = 64;  // a guess costs the product of the lengths

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  if (word.size() > kMostNameForGuess) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3 + 1);
  for (const std::string_view name : names)
    if (const std::size_t distance = edits(word, name); distance < least) {
      least = distance;
      best = name;
    }
  return best;
}

std::string Fields::where(unsigned line, std::string_view key) const {
  std::string out(file_);
  if (line > 0) out.append(":").append(std::to_string(line));
  out.append(": ").append(path_);
  if (!path_.empty() && !key.empty()) out.append(".");
  return out.append(key).append(": ");
}

void Fields::wrong(std::string_view key, std::string what) {
  if (error_) return;
  const Value* at = find(table_, key);
  error_ = Error{Errc::invalid, where(at ? at->line : line_, key) + what};
}

void Fields::check(std::string_view key, const Result<void>& outcome) {
  if (!outcome) wrong(key, outcome.error().detail);
}

void Fields::join(const Result<void>& part) {
  if (!part && !error_) error_ = part.error();
}

void Fields::wrong_kind(std::string_view key, const Value& value, std::string_view wanted) {
  wrong(key, "this is " + std::string(kind_of(value)) + "; it takes " + std::string(wanted));
}

void Fields::need(std::string_view key, std::string_view like) {
  if (!find(table_, key)) wrong(key, "missing; for example " + std::string(like));
}

const Value* Fields::value(std::string_view key) {
  ask(key);
  return find(table_, key);
}

const std::string* Fields::text(std::string_view key) {
  const Value* at = value(key);
  if (!at) return nullptr;
  const std::string* text = at->as<std::string>();
  if (!text) wrong_kind(key, *at, "a text in quotes");
  return text;
}

const Table* Fields::table(std::string_view key) {
  const Value* at = value(key);
  if (!at) return nullptr;
  const Table* table = at->as<Table>();
  if (!table) wrong_kind(key, *at, "a table of keys");
  return table;
}

void Fields::read(std::string_view key, std::string& into) {
  if (const std::string* at = text(key)) into = *at;
}

void Fields::read(std::string_view key, bool& into) {
  const Value* at = value(key);
  if (!at) return;
  if (const bool* truth = at->as<bool>())
    into = *truth;
  else
    wrong_kind(key, *at, "true or false");
}

void Fields::read(std::string_view key, Duration& into) {
  const std::string* at = text(key);
  if (!at) return;
  const auto time = parse_duration(*at);
  if (time)
    into = *time;
  else
    wrong(key, time.error().detail);
}

void Fields::read(std::string_view key, std::size_t& into, std::size_t least, std::size_t most) {
  const Value* at = value(key);
  if (!at) return;
  const std::string range =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const std::int64_t* number = at->as<std::int64_t>();
  if (!number) return wrong_kind(key, *at, range);
  if (std::cmp_less(*number, least) || std::cmp_greater(*number, most))
    return wrong(key, std::to_string(*number) + "; it takes " + range);
  into = static_cast<std::size_t>(*number);
}

void Fields::read_seed(std::string_view key, std::uint64_t& into) {
  const Value* at = value(key);
  if (!at) return;
  const std::int64_t* number = at->as<std::int64_t>();
  if (!number || *number < 0) return wrong_kind(key, *at, "a whole number, not negative");
  into = static_cast<std::uint64_t>(*number);
}

void Fields::read(std::string_view key, std::vector<std::string>& into) {
  const Value* at = value(key);
  if (!at) return;
  if (const std::string* one = at->as<std::string>()) return void(into = {*one});
  if (const std::int64_t* one = at->as<std::int64_t>()) return void(into = {std::to_string(*one)});
  const List* list = at->as<List>();
  if (!list) return wrong_kind(key, *at, "a text, or a list of texts");
  into.clear();
  for (const Value& item : *list) {
    if (const std::string* word = item.as<std::string>())
      into.push_back(*word);
    else if (const std::int64_t* number = item.as<std::int64_t>())
      into.push_back(std::to_string(*number));
    else
      return wrong(key, "the list has " + std::string(kind_of(item)) + "; it takes texts");
  }
}

void Fields::read_bytes(std::string_view key, std::uint64_t& into) {
  const Value* at = value(key);
  if (!at) return;
  if (const std::int64_t* number = at->as<std::int64_t>(); number && *number >= 0)
    return void(into = static_cast<std::uint64_t>(*number));
  const std::string* word = text(key);
  if (!word) return;
  const auto bytes = parse_bytes(*word);
  if (bytes)
    into = *bytes;
  else
    wrong(key, bytes.error().detail);
}

void Fields::read_bandwidth(std::string_view key, std::uint64_t& into) {
  const std::string* word = text(key);
  if (!word) return;
  const auto rate = parse_bandwidth(*word);
  if (rate)
    into = *rate;
  else
    wrong(key, rate.error().detail);
}

void Fields::read_share(std::string_view key, std::uint32_t& into) {
  const Value* at = value(key);
  if (!at) return;
  // A number is read as it would be written: the same digits whatever their binary value.
  const bool number = at->as<double>() != nullptr || at->as<std::int64_t>() != nullptr;
  const std::string* word = number ? nullptr : text(key);
  if (!number && !word) return;
  const auto share = parse_share(number ? to_toml(*at) : *word);
  if (share)
    into = *share;
  else
    wrong(key, share.error().detail);
}

void Fields::read_number(std::string_view key, std::optional<double>& into) {
  const Value* at = value(key);
  if (!at) return;
  if (const std::int64_t* whole = at->as<std::int64_t>())
    into = static_cast<double>(*whole);
  else if (const double* number = at->as<double>())
    into = *number;
  else
    wrong_kind(key, *at, "a number");
}

Result<void> Fields::done(std::string_view of) {
  for (const auto& [key, value] : table_) {
    if (asked_.contains(key)) continue;
    const std::vector<std::string_view> names(asked_.begin(), asked_.end());
    std::string all;
    for (const std::string_view name : names) all.append(all.empty() ? "" : ", ").append(name);
    std::string what = "no such key";
    if (!of.empty()) what.append(" of ").append(of);
    if (const std::string_view meant = nearest(key, names); !meant.empty())
      what.append(" (").append(meant).append("?)");
    wrong(key, what.append("; the keys are ").append(all));
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace kadmesh::kadsim
