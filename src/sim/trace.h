// What happened, turn by turn: one record for each input of a node and all that it did upon it, and
// a hash over every one of them: what came from the network and the store, and what went there, to
// the last byte. Not hashed are a command's arguments, which show in what the node does upon them,
// and of reports all but their kinds, how operations ended, and messages. The hash is our own, of
// whole words in a fixed byte order: the same from every compiler.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace kadmesh {

// 64 bits over anything; fast, and no defence against anybody.
class Digest {
 public:
  void add(std::uint64_t word);
  void add(ByteView bytes);
  std::uint64_t value() const;

 private:
  std::uint64_t state_ = 0x243F6A8885A308D3u;
};
std::uint64_t digest_of(ByteView bytes);

enum class TurnKind : std::uint8_t {
  boot,
  command,  // of a user
  timer,
  dialed,
  dial_failed,
  accepted,
  bytes,
  written,
  closed,
  stored,
};
inline constexpr std::size_t kTurnKinds = 10;
std::string_view name(TurnKind kind);
std::optional<TurnKind> turn_kind(std::string_view name);

struct TurnRecord {
  std::uint64_t number = 0;  // of the run, from 1
  Time at{};
  std::uint32_t node = 0;
  TurnKind kind = TurnKind::boot;
  std::uint64_t about = 0;   // the connection or the store's operation, if there is one
  std::uint64_t size = 0;    // bytes that came, or were written
  std::uint64_t digest = 0;  // of the input
  // What the node did.
  std::uint32_t actions = 0, dials = 0, closes = 0, reports = 0;
  std::uint64_t written = 0;  // bytes
  std::uint64_t done = 0;     // digest of all of it
};

// One line, without its end:
//   3600.005000000 n17 bytes c5 1234 9f86d081884c7d65 > 3 wrote 230 dialed 0 closed 0 reported 1
//   60303ae22b998861
std::string to_text(const TurnRecord& record);

// Which records a reader wants; empty sets want all.
struct TurnFilter {
  std::vector<std::uint32_t> nodes{};
  std::vector<TurnKind> kinds{};
  bool wants(const TurnRecord& record) const;
};

class Trace {
 public:
  // In the order of the records.
  void add(TurnRecord& record);
  std::uint64_t hash() const { return hash_.value(); }
  std::uint64_t turns() const { return turns_; }

 private:
  Digest hash_;
  std::uint64_t turns_ = 0;
};

}  // namespace kadmesh
