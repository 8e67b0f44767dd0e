// How long an answer takes, and from that how long one is waited for (RFC 6298, sections 2 and 5).
//
// Rules:
//   - Of a path: SRTT with a gain of 1/8, RTTVAR of 1/4; the timeout is SRTT + max(G, 4 RTTVAR).
//     G is not a clock's granularity here but what a host needs to take a breath: kBreath.
//   - Each miss doubles the timeout, the next sample undoes that. A request is missed when all of
//     its timeout passed in silence, not when it failed otherwise or was withdrawn.
//   - Karn's rule: of a request whose connection ended under it there is no sample. It may have
//     been sent a second time, and nobody can say which of the two was answered.
//   - Who was never heard gets what all others take together (Crowd), doubled for each of its own
//     misses. Nothing is known of a crowd before kLeastSamples answers; then the timeout is the
//     most.
//   - A crowd misses, and is doubled, only when nobody at all has answered since the request went
//     out: one peer that is gone says nothing of the others, a network that has become slow does.
//   - Over an open connection a request is `warm`. Who must be dialed first is `cold`: TCP, two
//     round trips of the handshake, the question. Of a path only warm requests are samples; cold
//     ones have a crowd of their own and kColdTrips times the least timeout.
//
// What a liar gains: by answering late, that others are waited for as long as without all this
// (the most, a user's setting); by answering soon, nothing below kLeastTimeout a round trip.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/peer_id.h"
#include "base/recent_map.h"
#include "base/time.h"

namespace kadmesh {

struct RttBounds {
  Duration least, most;  // least <= most
};

// One path, or many together; nothing but integers.
class Rtt {
 public:
  // A sample's weight is one over these.
  struct Gains {
    std::int64_t mean, deviation;
    // The first samples weigh the same, as in an average, until there are that many.
    bool average_first;
  };
  static constexpr Gains kPath{8, 4, false};
  // A walk's answers come in the order of their distance, the near ones first: all of a walk's must
  // count, or its last requests would be judged by the nearest peers.
  static constexpr Gains kCrowd{64, 32, true};

  explicit constexpr Rtt(Gains gains) : gains_(gains) {}

  void sample(Duration took);
  void missed();

  std::uint64_t samples() const { return samples_; }
  std::uint32_t misses() const { return misses_; }
  Duration mean() const { return mean_; }
  Duration deviation() const { return deviation_; }
  Duration timeout(RttBounds bounds) const;

 private:
  std::int64_t weight(std::int64_t gain) const;

  Gains gains_;
  std::uint64_t samples_ = 0;
  std::uint32_t misses_ = 0;  // in a row, at most kMostDoublings
  Duration mean_{}, deviation_{};
};

// `timeout`, doubled so often, at most `most`.
Duration doubled(Duration timeout, std::uint32_t times, Duration most);

// Many peers together: whoever answers, answers for all.
class Crowd {
 public:
  void answered(Duration took, Time now);
  void missed(Time asked, Time now);

  bool known() const;
  const Rtt& rtt() const { return rtt_; }

 private:
  Rtt rtt_{Rtt::kCrowd};
  Time news_ = Time::min();  // an answer came, or the timeout was doubled
};

enum class Reach : std::uint8_t { warm, cold };

// What one node has measured: of each peer, and of all.
class Rtts {
 public:
  explicit Rtts(Duration most);

  void answered(const PeerId& peer, Reach reach, Time asked, Time now);
  void missed(const PeerId& peer, Reach reach, Time asked, Time now);

  // How long an answer is waited for.
  Duration timeout(const PeerId& peer, Reach reach) const;
  // The same of a peer of which nothing is known.
  Duration timeout(Reach reach) const;
  // None when it never answered over an open connection, or too many others have since.
  const Rtt* of(const PeerId& peer) const;
  const Rtt& crowd(Reach reach) const { return (reach == Reach::warm ? warm_ : cold_).rtt(); }
  std::size_t measured() const { return paths_.size(); }

 private:
  struct Path {
    Rtt rtt{Rtt::kPath};
  };
  Rtt& path(const PeerId& peer);
  RttBounds bounds(Reach reach) const;
  Duration cold_by(const Rtt& warm) const;

  Duration most_;
  Crowd warm_, cold_;
  RecentMap<PeerId, Path> paths_;
};

}  // namespace kadmesh
