// What it was worth to ask a peer, from what came of asking it so far: for walks, whose ordering
// (kad/policies.h, "worthiest") chooses by it among equally near peers, and nothing else.
//
//   success   of the questions over an open connection, those that it answered
//   validity  of its answers, those that kept to the protocol; one that did not weighs more
//   presence  of the times that it was looked for, those that it was there
//   latency   how long its answers took
//
// Rules:
//   - Each is an average that the last few decide. It fades with a half-life of kHalfLife towards
//     what a stranger has, so that nobody has a name for ever, good or bad.
//   - A failure counts only when somebody else has answered since the question went out: else it
//     may be our own network that is silent.
//   - Who is worth next to nothing is banned: walks do not ask it, until that has faded. That takes
//     a dozen failures without an answer, or three lies, so nobody is banned for an hour's trouble.
//   - It is kept on disk: a row of Kind::quality a peer, for those who were asked a few times.
//
// What a liar gains by a good name: to be asked before others that are as near. Which peers a walk
// asks, who enters the table and who leaves it do not depend on this.
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

  // In [0, kAll]; a stranger has a bit less than a third.
  std::uint32_t worth() const;
  bool banned() const;
  Quality faded(Duration idle) const;

  friend bool operator==(const Quality&, const Quality&) = default;
};

//   Kind::quality  key: the peer's id · received: the last change · expires: kQualityTtl later
//                  value := 0x01 success validity presence latency samples: varints, latency in us
Row to_row(const PeerId& peer, const Quality& quality, WallTime changed);
// None for rubbish.
std::optional<Quality> to_quality(const Row& row);

class Qualities {
 public:
  static constexpr std::size_t kMost = 4096;  // peers; 150 bytes each

  // A question was answered, by what keeps to the protocol or does not.
  void answered(const PeerId& peer, Duration took, Time now);
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
    Time changed{};
  };
  Quality& change(const PeerId& peer, Time now);
  void displace();
  bool our_fault(Time asked) const { return news_ <= asked; }

  RecentMap<PeerId, Entry> known_{kMost};
  std::set<PeerId> changed_;  // since they were saved
  std::deque<PeerId> to_save_;
  std::deque<StoreRequest> to_erase_;
  Time news_ = Time::min();  // somebody answered
};

}  // namespace kadmesh
