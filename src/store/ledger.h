// What each charge (store/record.h) takes of a store: the store keeps it as it adds and drops rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace kadmesh {

struct Taken {
  std::size_t rows = 0;
  std::size_t bytes = 0;  // of keys, members and values
  friend bool operator==(const Taken&, const Taken&) = default;
};

class Ledger {
 public:
  // A row weighs its bytes and `row_weight`, so that many small ones weigh as much as the few large
  // ones whose room they take.
  explicit Ledger(std::size_t row_weight) : row_weight_(row_weight) {}

  void add(std::uint64_t charge, Taken more);
  void remove(std::uint64_t charge, Taken less);

  const Taken& all() const { return all_; }
  std::size_t weight(const Taken& taken) const { return taken.bytes + taken.rows * row_weight_; }
  Taken taken_by(std::uint64_t charge) const;
  std::size_t weight_of(std::uint64_t charge) const;
  // Of all peers' charges; of equal ones the largest number. None when all is ours.
  std::optional<std::uint64_t> heaviest() const;

 private:
  void set(std::uint64_t charge, Taken taken);

  std::size_t row_weight_;
  Taken all_;
  std::map<std::uint64_t, Taken> charges_;
  std::set<std::pair<std::size_t, std::uint64_t>> by_weight_;  // without ours
};

}  // namespace kadmesh
