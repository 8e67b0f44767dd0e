#include "store/memory_store.h"

#include "store/row_bounds.h"

namespace kadmesh {

StoreResult MemoryStore::load(WallTime now, const Load& request) const {
  StoreRows rows;
  for (auto at = rows_.lower_bound({request.kind, request.key, {}});
       at != rows_.end() && at->second.kind == request.kind && at->second.key == request.key; ++at)
    if (at->second.expires > now) rows.push_back(at->second);
  return rows;
}

StoreResult MemoryStore::save(Save request) {
  RETURN_IF_ERROR(check_bounds(request.row));
  Place place{request.row.kind, request.row.key, request.row.member};
  const auto old = rows_.find(place);
  const std::size_t freed = old == rows_.end() ? 0 : size_of(old->second);
  const std::size_t rows = rows_.size() + (old == rows_.end() ? 1 : 0);
  RETURN_IF_ERROR(check_room(rows, bytes_ - freed + size_of(request.row), limits_));
  bytes_ += size_of(request.row) - freed;
  rows_.insert_or_assign(std::move(place), std::move(request.row));
  return StoreRows{};
}

StoreResult MemoryStore::erase(const Erase& request) {
  auto at = rows_.lower_bound({request.kind, request.key, request.member});
  while (at != rows_.end() && at->second.kind == request.kind && at->second.key == request.key &&
         (request.member.empty() || at->second.member == request.member)) {
    bytes_ -= size_of(at->second);
    at = rows_.erase(at);
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

StoreResult MemoryStore::expire(WallTime now) {
  std::erase_if(rows_, [&](const auto& entry) {
    const bool gone = entry.second.expires <= now;
    if (gone) bytes_ -= size_of(entry.second);
    return gone;
  });
  return StoreRows{};
}

std::vector<StoreResult> MemoryStore::run(WallTime now, std::vector<StoreRequest> batch) {
  std::vector<StoreResult> results;
  results.reserve(batch.size());
  for (StoreRequest& request : batch) {
    if (auto* r = std::get_if<Load>(&request)) results.push_back(load(now, *r));
    if (auto* r = std::get_if<Save>(&request)) results.push_back(save(std::move(*r)));
    if (auto* r = std::get_if<Erase>(&request)) results.push_back(erase(*r));
    if (auto* r = std::get_if<Scan>(&request)) results.push_back(scan(now, *r));
    if (std::holds_alternative<Expire>(request)) results.push_back(expire(now));
  }
  return results;
}

}  // namespace kadmesh
