// Streams that have answered and may be asked again, as go keeps them: at most one for each peer
// and protocol, none for longer than kIdle without a use.
//
// A kept stream is like any other to its connection, which it keeps open meanwhile. Where the peer
// ends it, or has said anything unasked, it is gone. What is unasked and still on its way cannot be
// told from the next answer: only whoever asks on it can judge what it is given.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/deadlines.h"
#include "transport/swarm.h"

namespace kadmesh {

class KeptStreams {
 public:
  // Servers end idle streams, too, and a request into one that is just ended costs a round trip:
  // go's after a minute, js and ours later; rust's give way to others when there are many.
  static constexpr Duration kIdle = 10s;

  // `swarm` outlives this.
  explicit KeptStreams(Swarm& swarm) : swarm_(swarm) {}

  // A stream of ours that is open both ways, with nothing to be read.
  void keep(Turn turn, const PeerId& peer, std::string protocol, StreamKey key);
  // One to ask on, which is then no longer kept.
  struct Taken {
    StreamKey key;
    std::string protocol;
  };
  std::optional<Taken> take(Turn turn, const PeerId& peer, std::span<const std::string> protocols);

  // True when the event was about a stream that is kept.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const { return idle_.next(); }
  std::size_t size() const { return of_.size(); }

 private:
  using Place = std::pair<PeerId, std::string>;  // peer, protocol

  void forget(StreamKey key);
  void close(Turn turn, StreamKey key);

  Swarm& swarm_;
  std::map<Place, StreamKey> kept_;
  std::map<StreamKey, Place> of_;  // the same
  Deadlines<StreamKey> idle_;
};

}  // namespace kadmesh
