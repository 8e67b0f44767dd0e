// One search for a live address of a peer (RFC 8305, "Happy Eyeballs", section 5, staggers as
// here): which address is tried next, when, and why each of the others did not work.
//
//   waiting --due, and a place is free--> running --authenticated--> the job is over
//                                            |
//                                            +--failed--> failures, and the next is due at once
//
// Addresses keep the order in which they were given; the same one is tried once.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/multiaddr.h"
#include "base/time.h"
#include "transport/swarm.h"

namespace kadmesh {

// A slow address does not hold up the next for longer than this.
inline constexpr Duration kDialStagger = 250ms;
// Attempts of one job at a time; go's figure.
inline constexpr std::size_t kDialsPerJob = 8;
// Addresses of one job: an address book holds fewer for a peer, so a longer list is somebody's
// attempt to make us dial.
inline constexpr std::size_t kMostDialAddrs = 64;

class DialJob {
 public:
  // Without a peer an address may still name one in its /p2p.
  explicit DialJob(const std::optional<PeerId>& peer) : peer_(peer) {}

  const std::optional<PeerId>& peer() const { return peer_; }

  // Those not seen before, up to kMostDialAddrs in all. One that cannot be dialed becomes a failure
  // at once: it is not plain TCP, it is unspecified, or its /p2p is not our peer.
  void add(std::span<const Multiaddr> addrs);

  // When next() will have an address, if none fails before; kNever when none waits or all places
  // are taken.
  Time due() const;
  struct Attempt {
    Endpoint to;
    std::optional<PeerId> expected;
  };
  // Takes the first waiting address, as the attempt `id`. Only when due() has come.
  Attempt begin(Time now, ConnId id);
  // The attempt is no longer running; the next address is due at once.
  void failed(ConnId id, Error cause);

  std::vector<ConnId> running() const;
  bool is_running(ConnId id) const;
  // Nothing waits and nothing runs.
  bool exhausted() const { return waiting_.empty() && running_.empty(); }

  const std::vector<DialFailure>& failures() const { return failures_; }
  // What an exhausted job has come to: Errc::unsupported when every address was of a kind that we
  // do not dial, Errc::unreachable otherwise.
  Error failure() const;
  // What to tell whoever asked, with every address: its cause, or that no answer has come yet.
  Error error(Errc code, std::string_view what) const;

 private:
  struct Running {
    ConnId id;
    Multiaddr addr;
  };
  std::optional<Error> undialable(const Multiaddr& addr) const;

  std::optional<PeerId> peer_;
  std::set<Multiaddr> seen_;
  std::deque<Multiaddr> waiting_;
  std::vector<Running> running_;
  std::vector<DialFailure> failures_;
  Time next_start_ = Time::min();
};

}  // namespace kadmesh
