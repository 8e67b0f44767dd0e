#include "store/ledger.h"

namespace kadmesh {

void Ledger::add(std::uint64_t charge, Taken more) {
  const Taken had = charges_[charge];
  all_ = {all_.rows + more.rows, all_.bytes + more.bytes};
  set(charge, {had.rows + more.rows, had.bytes + more.bytes});
}

void Ledger::remove(std::uint64_t charge, Taken less) {
  const Taken had = charges_[charge];
  all_ = {all_.rows - less.rows, all_.bytes - less.bytes};
  set(charge, {had.rows - less.rows, had.bytes - less.bytes});
}

void Ledger::set(std::uint64_t charge, Taken taken) {
  by_weight_.erase({weight_of(charge), charge});
  charges_[charge] = taken;
  if (taken.rows == 0) charges_.erase(charge);
  if (taken.rows > 0 && charge != 0) by_weight_.emplace(weight(taken), charge);
}

Taken Ledger::taken_by(std::uint64_t charge) const {
  const auto at = charges_.find(charge);
  return at == charges_.end() ? Taken{} : at->second;
}

std::size_t Ledger::weight_of(std::uint64_t charge) const { return weight(taken_by(charge)); }

std::optional<std::uint64_t> Ledger::heaviest() const {
  if (by_weight_.empty()) return std::nullopt;
  return by_weight_.rbegin()->second;
}

}  // namespace kadmesh
