#include "kad/write_lines.h"

#include <algorithm>
#include <ranges>

#include "kad/params.h"

namespace kadmesh {

std::optional<bool> WriteLines::join(const Line& line, KadInboundId id, const PeerId& from) {
  if (waiting_ == kMostInLines) return std::nullopt;
  auto& places = lines_[line];
  const auto waiting = std::views::drop(places, 1);
  if (places.size() >= kMostInLine || std::ranges::count(waiting, from, &Place::from) > 0)
    return std::nullopt;
  places.push_back({id, from});
  ++waiting_;
  return places.size() == 1;
}

void WriteLines::leave(const Line& line, KadInboundId id) {
  const auto at = lines_.find(line);
  auto& places = at->second;
  const bool first = places.front().id == id;
  waiting_ -= std::erase_if(places, [&](const Place& place) { return place.id == id; });
  std::erase(next_, id);
  if (places.empty())
    lines_.erase(at);
  else if (first)
    next_.push_back(places.front().id);
}

std::optional<KadInboundId> WriteLines::next() {
  if (next_.empty()) return std::nullopt;
  const KadInboundId id = next_.front();
  next_.pop_front();
  return id;
}

}  // namespace kadmesh
