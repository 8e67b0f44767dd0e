#include "transport/kept_streams.h"

#include "transport/stream_code.h"
#include "transport/stream_event.h"

namespace kadmesh {

void KeptStreams::keep(Turn turn, const PeerId& peer, std::string protocol, StreamKey key) {
  const Place place{peer, std::move(protocol)};
  if (const auto other = kept_.find(place); other != kept_.end())
    close(turn, StreamKey(other->second));
  kept_.emplace(place, key);
  of_.emplace(key, place);
  idle_.set(key, after(turn.now.mono, kIdle));
}

std::optional<KeptStreams::Taken> KeptStreams::take(Turn turn, const PeerId& peer,
                                                    std::span<const std::string> protocols) {
  for (const std::string& protocol : protocols) {
    const auto at = kept_.find({peer, protocol});
    if (at == kept_.end()) continue;
    Taken taken{at->second, protocol};
    forget(taken.key);
    if (swarm_.readable(taken.key).empty()) return taken;
    swarm_.reset(turn, taken.key, stream_code::kProtocolViolation);
  }
  return std::nullopt;
}

void KeptStreams::forget(StreamKey key) {
  const auto at = of_.find(key);
  kept_.erase(at->second);
  of_.erase(at);
  idle_.cancel(key);
}

void KeptStreams::close(Turn turn, StreamKey key) {
  forget(key);
  swarm_.finish(turn, key);
  swarm_.release(turn, key);
}

bool KeptStreams::on_event(Turn turn, const SwarmEvent& event) {
  const auto key = stream_of(event);
  if (!key || !of_.contains(*key)) return false;
  if (ends_stream(event)) {
    forget(*key);
  } else if (std::holds_alternative<StreamFinished>(event)) {
    close(turn, *key);
  } else if (std::holds_alternative<StreamReadable>(event)) {
    forget(*key);
    swarm_.reset(turn, *key, stream_code::kProtocolViolation);
  }
  return true;
}

void KeptStreams::on_timer(Turn turn) {
  while (const auto key = idle_.expire(turn.now.mono)) close(turn, *key);
}

}  // namespace kadmesh
