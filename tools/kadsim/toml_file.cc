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

Result<Value> from_node(const toml::node& node, std::string_view name, std::size_t depth);

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

Result<Table> from_table(const toml::table& table, std::string_view name, std::size_t depth) {
  Table out;
  for (auto& [key, node] : in_order(table)) {
    ASSIGN_OR_RETURN(Value value, from_node(*node, name, depth + 1));
    out.push_back({key, std::move(value)});
  }
  return out;
}

Result<List> from_list(const toml::array& list, std::string_view name, std::size_t depth) {
  List out;
  for (const toml::node& node : list) {
    ASSIGN_OR_RETURN(Value value, from_node(node, name, depth + 1));
    out.push_back(std::move(value));
  }
  return out;
}

Result<Value> from_node(const toml::node& node, std::string_view name, std::size_t depth) {
  const unsigned line = node.source().begin.line;
  if (depth > kMostDepth)
    return fail(Errc::invalid,
                place(name, node.source()) + "nested deeper than " + std::to_string(kMostDepth));
  if (const auto* table = node.as_table()) {
    ASSIGN_OR_RETURN(Table entries, from_table(*table, name, depth));
    return Value{std::move(entries), line};
  }
  if (const auto* list = node.as_array()) {
    ASSIGN_OR_RETURN(List items, from_list(*list, name, depth));
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

bool in_bare_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Where the part of a key that begins here ends; here, when none does.
std::size_t part_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  std::size_t end = at;
  if (quote != '"' && quote != '\'') {
    while (end < text.size() && in_bare_key(text[end])) ++end;
    return end;
  }
  for (end = at + 1; end < text.size() && text[end] != '\n'; ++end) {
    if (text[end] == quote) return end + 1;
    if (text[end] == '\\' && quote == '"') ++end;
  }
  return at;
}

// The line of a key of more parts than any has, before the library makes a table of each; 0: none.
// A text over several lines with as many dots between its words is refused with it.
unsigned too_dotted(std::string_view text) {
  unsigned line = 1;
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = part_end(text, at);
    if (end > at) {
      at = end;
      continue;
    }
    const char c = text[at++];
    if (c == '\n') ++line;
    if (c == '.') {
      if (++dots > kMostDots) return line;
    } else if (c != ' ' && c != '\t') {
      dots = 0;
    }
  }
  return 0;
}

}  // namespace

Result<Table> parse_toml(std::string_view text, std::string_view name) {
  if (const unsigned line = too_dotted(text); line > 0)
    return fail(Errc::invalid, std::string(name) + ":" + std::to_string(line) +
                                   ": a key of more than " + std::to_string(kMostDots) + " dots");
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed)
    return fail(Errc::invalid,
                place(name, parsed.error().source()) + std::string(parsed.error().description()));
  return from_table(parsed.table(), name, 0);
}

Result<Table> read_toml(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const std::string text, read_file(file, kMostScenarioBytes));
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
