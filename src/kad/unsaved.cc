#include "kad/unsaved.h"

#include <algorithm>

#include "kad/params.h"
#include "kad/rows.h"

namespace kadmesh {
namespace {

bool is_ours(Kind kind) { return kind == Kind::publishing || kind == Kind::providing; }

std::optional<Unsaved::Item> item_of(const StoreRequest& request) {
  if (const auto* save = std::get_if<Save>(&request); save && is_ours(save->row.kind))
    return Unsaved::Item(save->row.kind, save->row.key);
  if (const auto* erase = std::get_if<Erase>(&request); erase && is_ours(erase->kind))
    return Unsaved::Item(erase->kind, erase->key);
  return std::nullopt;
}

// Whether what it says of their item leaves nothing to say for the other.
bool overtakes(const StoreRequest& later, const StoreRequest& other) {
  const auto* erase = std::get_if<Erase>(&later);
  if (!erase || !erase->value) return true;
  if (const auto* save = std::get_if<Save>(&other)) return save->row.value == erase->value;
  return std::get<Erase>(other).value == erase->value;
}

bool was_delivered(const StoreRequest& request) {
  const auto* save = std::get_if<Save>(&request);
  return !save || save->row.received != kNeverDelivered;
}

}  // namespace

void Unsaved::on_asked(KadStoreId id, const StoreRequest& request) {
  if (!item_of(request)) return;
  forget(request);
  if (was_delivered(request)) asked_.emplace(id, request);
}

void Unsaved::forget(const StoreRequest& overtaken_by) {
  const auto item = item_of(overtaken_by);
  const auto is_over = [&](const auto& other) {
    return item_of(other.second) == item && overtakes(overtaken_by, other.second);
  };
  std::erase_if(waiting_, is_over);
  std::erase_if(asked_, is_over);
}

bool Unsaved::has(const Item& item) const {
  const auto is_its = [&](const auto& asked) { return item_of(asked.second) == item; };
  return waiting_.contains(item) || std::ranges::any_of(asked_, is_its);
}

void Unsaved::on_stored(Turn turn, KadStoreId id, const StoreResult& result) {
  auto asked = asked_.extract(id);
  if (asked.empty() || result || result.error().code != Errc::io) return;
  if (waiting_.size() == kMostUnsaved) return;
  if (waiting_.empty()) retry_ = after(turn.now.mono, kPendingRetry);
  Item item = *item_of(asked.mapped());
  // Of two the one that saves: what is there then is not what the other would erase.
  const auto at = waiting_.try_emplace(std::move(item), asked.mapped()).first;
  if (std::holds_alternative<Erase>(at->second)) at->second = std::move(asked.mapped());
}

std::optional<StoreRequest> Unsaved::poll(Time now) {
  if (now < next_timer()) return std::nullopt;
  return waiting_.extract(waiting_.begin()).mapped();
}

}  // namespace kadmesh
