#include "kadsim/toml_file.h"

#include <algorithm>

#include "kadsim/files.h"

// Errors as values: no exception of the library's crosses our code.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace kadmesh::kadsim {
namespace {

Result<Value> from_node(const toml::node& node, std::string_view name);

std::string place(std::string_view name, const toml::source_region& at) {
  return std::string(name) + ":" + std::to_string(at.begin.line) + ": ";
}

// As written; the library keeps them by name.
std::vector<std::pair<std::string, const toml::node*>> in_order(const toml::table& table) {
  std::vector<std::pair<std::string, const toml::node*>> all;
  for (const auto& [key, node] : table) all.emplace_back(std::string(key.str()), &node);
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    const auto& x = a.second->source().begin;
    const auto& y = b.second->source().begin;
    return std::pair(x.line, x.column) < std::pair(y.line, y.column);
  });
  return all;
}

Result<Table> from_table(const toml::table& table, std::string_view name) {
  Table out;
  for (auto& [key, node] : in_order(table)) {
    ASSIGN_OR_RETURN(Value value, from_node(*node, name));
    out.push_back({key, std::move(value)});
  }
  return out;
}

Result<List> from_list(const toml::array& list, std::string_view name) {
  List out;
  for (const toml::node& node : list) {
    ASSIGN_OR_RETURN(Value value, from_node(node, name));
    out.push_back(std::move(value));
  }
  return out;
}

Result<Value> from_node(const toml::node& node, std::string_view name) {
  const unsigned line = node.source().begin.line;
  if (const auto* table = node.as_table()) {
    ASSIGN_OR_RETURN(Table entries, from_table(*table, name));
    return Value{std::move(entries), line};
  }
  if (const auto* list = node.as_array()) {
    ASSIGN_OR_RETURN(List items, from_list(*list, name));
    return Value{std::move(items), line};
  }
  if (const auto* text = node.as_string()) return Value{text->get(), line};
  if (const auto* whole = node.as_integer()) return Value{whole->get(), line};
  if (const auto* number = node.as_floating_point()) return Value{number->get(), line};
  if (const auto* truth = node.as_boolean()) return Value{truth->get(), line};
  return fail(Errc::invalid,
              place(name, node.source()) +
                  "a date or a time of day; a length of time is a text, like \"10s\"");
}

}  // namespace

Result<Table> parse_toml(std::string_view text, std::string_view name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed)
    return fail(Errc::invalid,
                place(name, parsed.error().source()) + std::string(parsed.error().description()));
  return from_table(parsed.table(), name);
}

Result<Table> read_toml(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (!error && size > kMostScenarioBytes)
    return fail(Errc::io, file.string() + ": " + std::to_string(size) +
                              " bytes; a scenario has at most " +
                              std::to_string(kMostScenarioBytes));
  ASSIGN_OR_RETURN(const std::string text, read_file(file));
  return parse_toml(text, file.string());
}

Value parse_value(std::string_view text) {
  auto parsed = parse_toml("value = " + std::string(text), "value");
  if (!parsed || parsed->size() != 1) return {std::string(text), 0};
  Value value = std::move(parsed->front().value);
  value.line = 0;
  return value;
}

}  // namespace kadmesh::kadsim
