#include "store/memory_store.h"

#include <algorithm>

#include "store/row_bounds.h"

namespace kadmesh {

MemoryStore::MemoryStore(StoreLimits limits) : limits_(limits), ledger_(row_weight(limits)) {}

StoreResult MemoryStore::load(WallTime now, const Load& request) const {
  StoreRows rows;
  for (auto at = rows_.lower_bound({request.kind, request.key, {}});
       at != rows_.end() && at->second.kind == request.kind && at->second.key == request.key; ++at)
    if (at->second.expires > now) rows.push_back(at->second);
  return rows;
}

StoreResult MemoryStore::save(WallTime now, Save request) {
  const Row& row = request.row;
  const Name name{row.kind, row.key, row.member};
  RETURN_IF_ERROR(check_bounds(row));
  if (const auto there = rows_.find(name); request.seen && there != rows_.end())
    RETURN_IF_ERROR(check_seen(now, request.seen, there->second));
  ASSIGN_OR_RETURN(StoreRows gone, make_room(*this, limits_, now, request));
  if (const auto old = rows_.find(name); old != rows_.end()) drop(old);
  add(std::move(request.row));
  return gone;
}

MemoryStore::Placed MemoryStore::placed(const Rows::value_type& entry) {
  const auto& [name, row] = entry;
  return {name.kind, row.place, as_text(name.key), as_text(name.member)};
}

MemoryStore::Charged MemoryStore::charged(const Rows::value_type& entry) {
  const auto& [name, row] = entry;
  return {row.charge, row.place, name.kind, as_text(name.key), as_text(name.member)};
}

MemoryStore::Ending MemoryStore::ending(const Rows::value_type& entry) {
  const auto& [name, row] = entry;
  return {row.expires, name.kind, as_text(name.key), as_text(name.member)};
}

void MemoryStore::add(Row row) {
  Name name{row.kind, row.key, row.member};
  const auto at = rows_.emplace(std::move(name), std::move(row)).first;
  const Row& added = at->second;
  ledger_.add(added.charge, {1, size_of(added)});
  by_place_.emplace(placed(*at), &added);
  by_end_.emplace(ending(*at), at);
  if (added.charge != 0) by_charge_.emplace(charged(*at), at);
}

void MemoryStore::drop(Rows::iterator at) {
  ledger_.remove(at->second.charge, {1, size_of(at->second)});
  by_place_.erase(placed(*at));
  by_charge_.erase(charged(*at));
  by_end_.erase(ending(*at));
  rows_.erase(at);
}

// --- what the rule of quota.h asks for
Result<std::optional<Shelf::Stored>> MemoryStore::stored(const Row& like) {
  const auto at = rows_.find({like.kind, like.key, like.member});
  if (at == rows_.end()) return std::nullopt;
  return Stored{at->second.charge, size_of(at->second)};
}

Result<bool> MemoryStore::any(std::uint64_t charge, std::uint64_t from, std::uint64_t to) {
  const auto at = by_charge_.lower_bound({charge, from, Kind{}, {}, {}});
  return at != by_charge_.end() && at->second->second.charge == charge &&
         at->second->second.place <= to;
}

Result<Row> MemoryStore::drop_at(std::uint64_t charge, std::uint64_t place) {
  const auto at = by_charge_.lower_bound({charge, place, Kind{}, {}, {}})->second;
  Row row = at->second;
  drop(at);
  dropped_.push_back(row);
  row.value.clear();
  return row;
}

Result<void> MemoryStore::sweep(WallTime now, std::size_t most) {
  for (; most > 0 && !by_end_.empty() && std::get<WallTime>(by_end_.begin()->first) <= now; --most)
    drop(by_end_.begin()->second);
  return {};
}

StoreResult MemoryStore::whole(const Change& change) {
  StoreResult changed = change();
  if (!changed) std::ranges::for_each(dropped_, [&](Row& row) { add(std::move(row)); });
  dropped_.clear();
  return changed;
}

// --- one request each
StoreResult MemoryStore::erase(const Erase& request) {
  auto at = rows_.lower_bound({request.kind, request.key, request.member});
  while (at != rows_.end() && at->second.kind == request.kind && at->second.key == request.key &&
         (request.member.empty() || at->second.member == request.member)) {
    const auto row = at++;
    if (!request.value || *request.value == row->second.value) drop(row);
  }
  return StoreRows{};
}

StoreResult MemoryStore::scan(WallTime now, const Scan& request) const {
  StoreRows rows;
  for (auto at = rows_.upper_bound({request.kind, request.after_key, request.after_member});
       at != rows_.end() && at->second.kind == request.kind && rows.size() < request.most; ++at)
    if (at->second.expires > now) rows.push_back(at->second);
  return rows;
}

StoreResult MemoryStore::near(WallTime now, const Near& request) const {
  StoreRows rows;
  auto at = by_place_.upper_bound(
      {request.kind, request.from, as_text(request.after_key), as_text(request.after_member)});
  for (; at != by_place_.end() && rows.size() < request.most; ++at) {
    const Row& row = *at->second;
    if (row.kind != request.kind || row.place > request.to) break;
    if (row.expires > now) rows.push_back(row);
  }
  return rows;
}

StoreResult MemoryStore::expire(WallTime now, const Expire& request) {
  RETURN_IF_ERROR(sweep(now, rows_.size()));
  for (auto& [name, row] : rows_) {
    if (row.expires <= request.latest || row.expires == WallTime::max()) continue;
    auto entry = by_end_.extract({row.expires, name.kind, as_text(name.key), as_text(name.member)});
    row.expires = request.latest;
    std::get<WallTime>(entry.key()) = request.latest;
    by_end_.insert(std::move(entry));
  }
  return StoreRows{};
}

std::vector<StoreResult> MemoryStore::run(WallTime now, std::vector<StoreRequest> batch) {
  std::vector<StoreResult> results;
  results.reserve(batch.size());
  for (StoreRequest& request : batch) {
    if (auto* r = std::get_if<Load>(&request)) results.push_back(load(now, *r));
    if (auto* r = std::get_if<Save>(&request)) results.push_back(save(now, std::move(*r)));
    if (auto* r = std::get_if<Erase>(&request)) results.push_back(erase(*r));
    if (auto* r = std::get_if<Scan>(&request)) results.push_back(scan(now, *r));
    if (auto* r = std::get_if<Expire>(&request)) results.push_back(expire(now, *r));
    if (auto* r = std::get_if<Near>(&request)) results.push_back(near(now, *r));
  }
  return results;
}

}  // namespace kadmesh
