// What it was worth to ask a peer, from what came of asking it so far. For walks alone: their
// ordering (kad/policies.h, "worthiest") chooses by it among equally near peers, and they pass over
// some of those that are banned (kad/search.h). Who enters the table and who leaves it does not
// depend on it.
//
//   success   of the questions over an open connection, those that it answered
//   validity  all but for what it said that no peer may say; it comes back by fading alone
//   presence  of the times that it was looked for, those that it was there
//   latency   how long its answers took over an open connection
//
// Rules:
//   - Each is an average that the last few decide, and fades with a half-life of kHalfLife towards
//     what a stranger has: nobody has a name for ever, good or bad.
//   - A failure counts only when somebody has answered since the question went out: else it may be
//     our own network that is silent.
//   - Banned is who keeps less than one in kBanShare of success and validity: by a dozen failures
//     of a stranger without an answer, or by three lies. An answer ends a ban for failures.
//   - A lie is what only the peer itself can have written. What it repeats of others is none.
//   - It is on disk as it was kQualityInterval ago or later: a row a peer, once asked a few times.
//
// What a liar gains by a good name: to be asked before others that are as near.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>

#include "base/peer_id.h"
#include "base/recent_map.h"
#include "base/turn.h"
#include "store/store.h"

namespace kadmesh {

// Of one peer. Shares are of kAll.
struct Quality {
  static constexpr std::uint32_t kAll = 1U << 16;

  std::uint32_t success = kAll / 2, validity = kAll, presence = kAll / 2;
  Duration latency{};         // zero: it never answered
  std::uint32_t samples = 0;  // at most kAll

  // In [0, kAll]; a stranger has three eighths.
  std::uint32_t worth() const;
  bool banned() const;
  Quality faded(Duration idle) const;

  friend bool operator==(const Quality&, const Quality&) = default;
};

//   Kind::quality  key: the peer's id · received: when it was saved · expires: kQualityTtl later
//                  value := 0x01 success validity presence latency samples: varints, latency in us
Row to_row(const PeerId& peer, const Quality& quality, WallTime changed);
// None for rubbish.
std::optional<Quality> to_quality(const Row& row);

class Qualities {
 public:
  static constexpr std::size_t kMost = 4096;  // peers; 150 bytes each

  // A question was answered, by what keeps to the protocol or does not. `took`: unless a dial came
  // first.
  void answered(const PeerId& peer, std::optional<Duration> took, Time now);
  void lied(const PeerId& peer, Time now);
  // A question that went out at `asked` was not: by who is connected, or could not be found.
  void silent(const PeerId& peer, Time asked, Time now);
  void absent(const PeerId& peer, Time asked, Time now);

  // Of a stranger when it is not known.
  Quality of(const PeerId& peer, Time now) const;
  std::size_t size() const { return known_.size(); }

  // Rows of Kind::quality.
  void on_rows(Turn turn, const StoreRows& rows);
  // All that has changed is to be saved.
  void save_all();
  // The next row to save or erase.
  std::optional<StoreRequest> poll(Turn turn);

 private:
  struct Entry {
    Quality quality{};
    Time faded_to{};       // since then it fades, whole half-lives at a time
    bool on_disk = false;  // maybe an older one
  };
  static Entry faded(const Entry& entry, Time now);
  Quality& change(const PeerId& peer, Time now);
  Entry& touch(const PeerId& peer, const Entry& fresh);
  Save save(const PeerId& peer, Entry entry, Turn turn);
  bool our_fault(Time asked) const { return news_ <= asked; }

  RecentMap<PeerId, Entry> known_{kMost};
  std::set<PeerId> changed_;  // since they were saved
  std::deque<PeerId> to_save_;
  std::deque<StoreRequest> to_erase_;
  Time news_ = Time::min();  // somebody answered
};

}  // namespace kadmesh
