#include "kad/region.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {
namespace {

std::uint64_t place(const KadId& id) {
  std::uint64_t place = 0;
  for (const std::uint8_t byte : std::span(id.bytes).first<8>()) place = place << 8 | byte;
  return place;
}

// The bits of a place that a prefix leaves open.
std::uint64_t open_bits(unsigned bits) { return bits < 64 ? ~std::uint64_t{0} >> bits : 0; }

}  // namespace

bool has_regions(const KadPolicies& policies) {
  return policies.metric == standard_metric() && policies.termination == standard_termination();
}

std::uint64_t Prefix::first_place() const { return place(of) & ~open_bits(bits); }
std::uint64_t Prefix::last_place() const { return place(of) | open_bits(bits); }

void Region::on_walk(const KadId& target, std::span<const Contact> closest) {
  for (const Contact& contact : closest) peers_.emplace(KadId::of(contact.peer), contact);
  const bool first = walks_++ == 0;
  if (closest.size() < k_) {
    if (first) prefix_ = {target, 0};
    gaps_.clear();
    return;
  }
  const unsigned shared = common_prefix(target, KadId::of(closest[k_ - 1].peer));
  if (first) prefix_ = {target, shared};
  const unsigned from = first ? shared : gaps_.back().bits;
  if (!first) gaps_.pop_back();
  open_gaps(target, from, shared);
}

void Region::open_gaps(const KadId& target, unsigned from, unsigned to) {
  for (unsigned bit = from; bit <= std::min(to, kKadBits - 1); ++bit)
    gaps_.push_back({flipped(target, bit), bit + 1});
}

std::optional<Prefix> Region::gap() const {
  if (gaps_.empty() || walks_ >= kMostRegionWalks) return std::nullopt;
  return gaps_.back();
}

std::vector<Contact> Region::closest(const KadId& key) const {
  std::vector<std::pair<Distance, const Contact*>> near;
  near.reserve(peers_.size());
  for (const auto& [id, contact] : peers_) near.emplace_back(distance(id, key), &contact);
  const std::size_t most = std::min(k_, near.size());
  std::ranges::partial_sort(near, near.begin() + static_cast<std::ptrdiff_t>(most), {},
                            [](const auto& each) { return each.first; });
  std::vector<Contact> closest;
  closest.reserve(most);
  for (std::size_t i = 0; i < most; ++i) closest.push_back(*near[i].second);
  return closest;
}

}  // namespace kadmesh
