// Figures over virtual time: named columns, a row a moment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace kadmesh::kadsim {

class Series {
 public:
  Series() = default;
  explicit Series(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  // As many values as columns.
  void add(Duration at, std::vector<double> values);

  std::size_t size() const { return times_.size(); }
  const std::vector<std::string>& columns() const { return columns_; }
  Duration time(std::size_t row) const { return times_.at(row); }
  const std::vector<double>& row(std::size_t row) const { return rows_.at(row); }
  std::vector<double> column(std::string_view name) const;  // empty when there is none

  // "time_s,peers,...": RFC 4180, a line a row.
  std::string to_csv() const;

 private:
  std::vector<std::string> columns_;
  std::vector<Duration> times_;
  std::vector<std::vector<double>> rows_;
};

// A text that may come from elsewhere, on one line of a terminal: control characters are replaced.
std::string printable(std::string_view text);
// A cell of a CSV file: quoted where it must be, printable, and no formula to a spreadsheet.
std::string csv_cell(std::string_view text);
// The shortest that reads back as the same.
std::string number_text(double value);

}  // namespace kadmesh::kadsim
