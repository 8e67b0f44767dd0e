#include "kadsim/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace kadmesh::kadsim {
namespace {

template <class... F>
struct Overload : F... {
  using F::operator()...;
};

bool bare(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string quoted(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (byte < 0x20 || byte == 0x7f)
      out.append("\\u00").append({kDigits[byte >> 4], kDigits[byte & 15]});
    else
      out.push_back(c);
  }
  return out + '"';
}

std::string key_text(std::string_view key) { return bare(key) ? std::string(key) : quoted(key); }

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  std::string out(text, end);
  // Without a point it would read back as an integer.
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

template <class Items, class Write>
std::string joined(std::string_view open, const Items& items, std::string_view close, Write write) {
  std::string out(open);
  for (bool first = true; const auto& item : items) {
    if (!std::exchange(first, false)) out.append(", ");
    out.append(write(item));
  }
  return out.append(close);
}

// [[name]] serves a list of tables at the top, and only there.
bool is_tables(const Value& value) {
  const List* list = value.as<List>();
  return list && !list->empty() &&
         std::ranges::all_of(*list, [](const Value& v) { return v.as<Table>() != nullptr; });
}

void write_plain(std::string& out, const Table& table) {
  for (const auto& [key, value] : table)
    out.append(key_text(key)).append(" = ").append(to_toml(value)).append("\n");
}

void write_section(std::string& out, const Entry& entry) {
  if (const Table* table = entry.value.as<Table>()) {
    out.append("\n[").append(key_text(entry.key)).append("]\n");
    write_plain(out, *table);
    return;
  }
  for (const Value& item : *entry.value.as<List>()) {
    out.append("\n[[").append(key_text(entry.key)).append("]]\n");
    write_plain(out, *item.as<Table>());
  }
}

}  // namespace

const Value* find(const Table& table, std::string_view key) {
  const auto at = std::ranges::find(table, key, &Entry::key);
  return at == table.end() ? nullptr : &at->value;
}

Value* find(Table& table, std::string_view key) {
  const auto at = std::ranges::find(table, key, &Entry::key);
  return at == table.end() ? nullptr : &at->value;
}

void remove_key(Table& table, std::string_view key) {
  std::erase_if(table, [&](const Entry& entry) { return entry.key == key; });
}

namespace {

// "0.count": the first of a list's items; what is left of the path.
Result<Value*> item_of(List& list, std::string_view key, std::string_view& path) {
  const std::size_t dot = path.find('.');
  const std::string_view text = path.substr(0, dot);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= list.size() ||
      dot == std::string_view::npos)
    return fail(Errc::invalid, std::string(key) + " is a list of " + std::to_string(list.size()) +
                                   ": one of them is like " + std::string(key) + ".0.count");
  path.remove_prefix(dot + 1);
  return &list[number];
}

}  // namespace

Result<void> set(Table& root, std::string_view path, Value value) {
  Table* table = &root;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (key.empty()) return fail(Errc::invalid, "a key is like nodes or gossip.d");
    Value* at = find(*table, key);
    if (dot == std::string_view::npos) {
      if (at)
        *at = std::move(value);
      else
        table->push_back({std::string(key), std::move(value)});
      return {};
    }
    if (!at) at = &table->emplace_back(Entry{std::string(key), {Table{}, 0}}).value;
    path.remove_prefix(dot + 1);
    if (List* const list = at->as<List>()) {
      ASSIGN_OR_RETURN(at, item_of(*list, key, path));
    }
    table = at->as<Table>();
    if (!table) return fail(Errc::invalid, std::string(key) + " is no table of keys");
  }
}

std::string to_toml(const Value& value) {
  return std::visit(Overload{[](bool b) { return std::string(b ? "true" : "false"); },
                             [](std::int64_t i) { return std::to_string(i); },
                             [](double d) { return number_text(d); },
                             [](const std::string& text) { return quoted(text); },
                             [](const List& list) {
                               return joined("[", list, "]",
                                             [](const Value& v) { return to_toml(v); });
                             },
                             [](const Table& table) {
                               return joined("{", table, "}", [](const Entry& e) {
                                 return key_text(e.key) + " = " + to_toml(e.value);
                               });
                             }},
                    value.data);
}

std::string to_toml(const Table& root) {
  std::string out;
  const auto section = [](const Entry& entry) {
    return entry.value.as<Table>() != nullptr || is_tables(entry.value);
  };
  for (const Entry& entry : root)
    if (!section(entry)) write_plain(out, {entry});
  for (const Entry& entry : root)
    if (section(entry)) write_section(out, entry);
  return out;
}

std::string_view kind_of(const Value& value) {
  return std::visit(
      Overload{[](bool) { return "true or false"; }, [](std::int64_t) { return "a whole number"; },
               [](double) { return "a number"; }, [](const std::string&) { return "a text"; },
               [](const List&) { return "a list"; }, [](const Table&) { return "a table"; }},
      value.data);
}

}  // namespace kadmesh::kadsim
