#include "kadsim/series.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace kadmesh::kadsim {

void Series::add(Duration at, std::vector<double> values) {
  KAD_CHECK(values.size() == columns_.size());
  times_.push_back(at);
  rows_.push_back(std::move(values));
}

std::vector<double> Series::column(std::string_view name) const {
  const auto at = std::ranges::find(columns_, name);
  std::vector<double> out;
  if (at == columns_.end()) return out;
  const auto index = static_cast<std::size_t>(at - columns_.begin());
  for (const auto& row : rows_) out.push_back(row[index]);
  return out;
}

std::string Series::to_csv() const {
  std::string out = "time_s";
  for (const std::string& column : columns_) out.append(",").append(csv_cell(column));
  out.append("\n");
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    out.append(number_text(static_cast<double>(times_[i].count()) / 1e9));
    for (const double value : rows_[i]) out.append(",").append(number_text(value));
    out.append("\n");
  }
  return out;
}

std::string csv_cell(std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@").find(text[0]) != text.npos;
  std::string plain = printable(text);
  if (!formula && plain.find_first_of(",\"") == std::string::npos) return plain;
  std::string out = formula ? "\"'" : "\"";
  for (const char c : plain) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + '"';
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // The second half of what UTF-8 makes of the other 32 control characters.
    const bool high = byte >= 0x80 && byte < 0xA0 && out.ends_with('\xC2');
    if (high) out.pop_back();
    out.push_back(byte < ' ' || byte == 0x7F || high ? '?' : c);
  }
  return out;
}

std::string number_text(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return {text, end};
}

}  // namespace kadmesh::kadsim
