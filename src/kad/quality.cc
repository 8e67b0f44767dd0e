#include "kad/quality.h"

#include <algorithm>
#include <array>

#include "base/varint.h"
#include "kad/params.h"

namespace kadmesh {
namespace {

constexpr std::uint32_t kAll = Quality::kAll;
constexpr std::uint8_t kVersion = 0x01;

std::uint32_t part(std::uint32_t one, std::uint32_t other) {
  return static_cast<std::uint32_t>(std::uint64_t{one} * other / kAll);
}

// The new sample weighs one in `gain`.
void average(std::uint32_t& share, std::uint32_t sample, std::uint32_t gain) {
  const std::int64_t apart = std::int64_t{sample} - share;
  share = static_cast<std::uint32_t>(share + apart / gain);
}

std::uint32_t towards(std::uint32_t share, std::uint32_t rest, unsigned halvings) {
  const std::int64_t apart = std::int64_t{share} - rest;
  return static_cast<std::uint32_t>(rest + apart / (std::int64_t{1} << halvings));
}

std::uint32_t quickness(Duration latency) {
  if (latency <= 0s) return kAll / 2;
  return static_cast<std::uint32_t>(kAll * kBrisk.count() / (kBrisk + latency).count());
}

}  // namespace

// --- one peer
std::uint32_t Quality::worth() const {
  const std::uint32_t extras = kAll / 2 + presence / 4 + quickness(latency) / 4;
  return part(part(success, validity), extras);
}

bool Quality::banned() const { return part(success, validity) <= kAll / kBanShare; }

Quality Quality::faded(Duration idle) const {
  const auto halvings = static_cast<unsigned>(std::clamp<std::int64_t>(idle / kHalfLife, 0, 17));
  const Quality stranger;
  return {towards(success, stranger.success, halvings),
          towards(validity, stranger.validity, halvings),
          towards(presence, stranger.presence, halvings), latency, samples};
}

Row to_row(const PeerId& peer, const Quality& quality, WallTime changed) {
  Row row;
  row.kind = Kind::quality;
  row.key = to_bytes(peer.bytes());
  row.place = place_of(row.key);
  row.value = {kVersion};
  for (const std::uint64_t number :
       {std::uint64_t{quality.success}, std::uint64_t{quality.validity},
        std::uint64_t{quality.presence}, static_cast<std::uint64_t>(quality.latency / 1us),
        std::uint64_t{quality.samples}})
    put_varint(row.value, number);
  row.received = changed;
  row.expires = after(changed, kQualityTtl);
  return row;
}

std::optional<Quality> to_quality(const Row& row) {
  ByteView value = row.value;
  if (value.empty() || value.front() != kVersion) return std::nullopt;
  value = value.subspan(1);
  std::array<std::uint64_t, 5> numbers{};
  for (std::uint64_t& number : numbers) {
    const auto read = get_varint(value);
    if (!read || !*read) return std::nullopt;
    number = (*read)->value;
    value = value.subspan((*read)->size);
  }
  const auto share = [](std::uint64_t number) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, kAll));
  };
  const auto latency = std::min<std::uint64_t>(numbers[3], kMostSample / 1us);
  return Quality{share(numbers[0]), share(numbers[1]), share(numbers[2]),
                 1us * static_cast<std::int64_t>(latency), share(numbers[4])};
}

// --- all
Qualities::Entry Qualities::faded(const Entry& entry, Time now) {
  const Duration idle = std::max<Duration>(now - entry.faded_to, 0s);
  return {entry.quality.faded(idle), entry.faded_to + idle / kHalfLife * kHalfLife, entry.on_disk};
}

Qualities::Entry& Qualities::touch(const PeerId& peer, const Entry& fresh) {
  const auto [entry, gone] = known_.touch(peer, fresh);
  if (!gone) return entry;
  changed_.erase(gone->first);
  if (gone->second.on_disk)
    to_erase_.push_back(Erase{Kind::quality, to_bytes(gone->first.bytes()), {}});
  return entry;
}

Quality& Qualities::change(const PeerId& peer, Time now) {
  Entry& entry = touch(peer, {{}, now});
  entry = faded(entry, now);
  entry.quality.samples = std::min(entry.quality.samples + 1, kAll);
  changed_.insert(peer);
  return entry.quality;
}

void Qualities::answered(const PeerId& peer, std::optional<Duration> took, Time now) {
  Quality& quality = change(peer, now);
  average(quality.success, kAll, kQualityGain);
  average(quality.presence, kAll, kQualityGain);
  news_ = now;
  if (!took) return;
  const Duration sample = std::clamp<Duration>(*took, 1us, kMostSample);
  quality.latency += quality.latency == 0s ? sample : (sample - quality.latency) / kQualityGain;
}

void Qualities::lied(const PeerId& peer, Time now) {
  average(change(peer, now).validity, 0, kLieGain);
}

void Qualities::silent(const PeerId& peer, Time asked, Time now) {
  if (!our_fault(asked)) average(change(peer, now).success, 0, kQualityGain);
}

void Qualities::absent(const PeerId& peer, Time asked, Time now) {
  if (!our_fault(asked)) average(change(peer, now).presence, 0, kQualityGain);
}

Quality Qualities::of(const PeerId& peer, Time now) const {
  const Entry* const entry = known_.find(peer);
  return entry == nullptr ? Quality{} : faded(*entry, now).quality;
}

// --- on disk
// Who has been asked meanwhile is known better, and displaced by nobody of the past.
void Qualities::on_rows(Turn turn, const StoreRows& rows) {
  for (const Row& row : rows) {
    const auto peer = PeerId::from_bytes(row.key);
    const auto quality = to_quality(row);
    if (!peer || !quality || known_.find(*peer) != nullptr || known_.size() == kMost) continue;
    const Duration idle = std::max<Duration>(turn.now.wall - row.received, 0s);
    touch(*peer, {quality->faded(idle), turn.now.mono, true});
  }
}

void Qualities::save_all() {
  to_save_.insert(to_save_.end(), changed_.begin(), changed_.end());
  changed_.clear();
}

std::optional<StoreRequest> Qualities::poll(Turn turn) {
  if (!to_erase_.empty()) {
    StoreRequest request = std::move(to_erase_.front());
    to_erase_.pop_front();
    return request;
  }
  while (!to_save_.empty()) {
    const PeerId peer = to_save_.front();
    to_save_.pop_front();
    const Entry* const entry = known_.find(peer);
    if (entry == nullptr || entry->quality.samples < kLeastTried) continue;
    return save(peer, *entry, turn);
  }
  return std::nullopt;
}

Save Qualities::save(const PeerId& peer, Entry entry, Turn turn) {
  entry.on_disk = true;
  touch(peer, entry) = entry;
  return {to_row(peer, faded(entry, turn.now.mono).quality, turn.now.wall)};
}

}  // namespace kadmesh
