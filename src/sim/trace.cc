#include "sim/trace.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "sim/luck.h"

namespace kadmesh {
namespace {

constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u;

constexpr std::array<std::string_view, kTurnKinds> kNames{
    "boot",     "command", "timer",   "dialed", "dial_failed",
    "accepted", "bytes",   "written", "closed", "stored"};

std::uint64_t word_at(const std::uint8_t* from) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, from, sizeof word);
  } else {
    for (std::size_t i = sizeof word; i-- > 0;) word = word << 8 | from[i];
  }
  return word;
}

constexpr std::uint64_t stirred(std::uint64_t lane, std::uint64_t word) {
  return std::rotl((lane ^ word) * kOdd, 29);
}

// "3600.005000000"
std::string seconds(Time time) {
  const auto ns = static_cast<std::uint64_t>(time.time_since_epoch().count());
  const std::string digits = std::to_string(1'000'000'000 + ns % 1'000'000'000);
  return std::to_string(ns / 1'000'000'000) + "." + digits.substr(1);
}

std::string hex(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return to_hex(bytes);
}

}  // namespace

void Digest::add(std::uint64_t word) { state_ = stirred(state_, word) + kOdd; }

// Four lanes, so that no multiplication waits for the one before.
void Digest::add(ByteView bytes) {
  add(bytes.size());
  std::size_t at = 0;
  if (bytes.size() >= 32) {
    std::uint64_t a = state_, b = state_ + 1, c = state_ + 2, d = state_ + 3;
    for (; at + 32 <= bytes.size(); at += 32) {
      const std::uint8_t* from = &bytes[at];
      a = stirred(a, word_at(from));
      b = stirred(b, word_at(from + 8));
      c = stirred(c, word_at(from + 16));
      d = stirred(d, word_at(from + 24));
    }
    for (const std::uint64_t lane : {a, b, c, d}) add(mixed(lane));
  }
  for (; at + 8 <= bytes.size(); at += 8) add(word_at(&bytes[at]));
  if (at == bytes.size()) return;
  std::uint64_t rest = 0;
  for (std::size_t i = 0; at + i < bytes.size(); ++i)
    rest |= std::uint64_t{bytes[at + i]} << (8 * i);
  add(rest);
}

std::uint64_t Digest::value() const { return mixed(state_); }

std::uint64_t digest_of(ByteView bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.value();
}

std::string_view name(TurnKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<TurnKind> turn_kind(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<TurnKind>(at - kNames.begin());
}

std::string to_text(const TurnRecord& record) {
  using std::to_string;
  return seconds(record.at) + " n" + to_string(record.node) + " " + std::string(name(record.kind)) +
         " c" + to_string(record.about) + " " + to_string(record.size) + " " + hex(record.digest) +
         " > " + to_string(record.actions) + " wrote " + to_string(record.written) + " dialed " +
         to_string(record.dials) + " closed " + to_string(record.closes) + " reported " +
         to_string(record.reports) + " " + hex(record.done);
}

bool TurnFilter::wants(const TurnRecord& record) const {
  return (nodes.empty() || std::ranges::count(nodes, record.node) > 0) &&
         (kinds.empty() || std::ranges::count(kinds, record.kind) > 0);
}

void Trace::add(TurnRecord& record) {
  record.number = ++turns_;
  hash_.add(static_cast<std::uint64_t>(record.at.time_since_epoch().count()));
  hash_.add(std::uint64_t{record.node} << 8 | static_cast<std::uint64_t>(record.kind));
  hash_.add(record.about);
  hash_.add(record.size);
  hash_.add(record.digest);
  hash_.add(std::uint64_t{record.actions} << 32 | record.reports);
  hash_.add(record.done);
}

}  // namespace kadmesh
