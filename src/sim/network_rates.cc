// A host's line, up or down: its connections take turns, a short piece each, so
// that all that have something to send share its rate alike.
#include <algorithm>
#include <utility>

#include "sim/network.h"
#include "sim/network_kinds.h"

namespace kadmesh {
namespace {

// A turn is a millisecond of the line, but a packet at least, and at most what
// a kernel sends in one go.
std::size_t turn_of(std::uint64_t rate) {
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(rate / 1000, 1448, kReadSize));
}

}  // namespace

struct Network::Line {
  Turnstile Host::* turnstile;
  Queue RareWay::* queue;
  std::uint32_t RareWay::* next;
  bool Way::* waiting;
  Kind served;
  bool up;
  // Whose line serves a way.
  HostId host(const Network& network, std::uint32_t at) const {
    return network.end(up ? at : other(at)).host;
  }
};

const Network::Line Network::kUp{&Host::up,   &RareWay::up,    &RareWay::next_up,
                                 &Way::in_up, Kind::up_served, true};
const Network::Line Network::kDown{&Host::down,   &RareWay::down,    &RareWay::next_down,
                                   &Way::in_down, Kind::down_served, false};

// 10^9 * bytes leaves 64 bits from 18 GB on; no turn is that long.
Duration Network::time_of(std::size_t bytes, std::uint64_t rate) {
  return Duration((std::uint64_t{bytes} * 1'000'000'000 + rate - 1) / rate);
}

void Network::wait_for(const Line& line, std::uint32_t at) {
  Way& who = way(at);
  if (who.*line.waiting) return;
  who.*line.waiting = true;
  rare_way(at).*line.next = Pipes::kNone;
  const HostId host = line.host(*this, at);
  Turnstile& gate = hosts_[host].*line.turnstile;
  (gate.first == Pipes::kNone ? gate.first : rare_way(gate.last).*line.next) = at;
  gate.last = at;
  serve_next(line, host);
}

std::uint32_t Network::first_of(const Line& line, Turnstile& gate) {
  const std::uint32_t at = gate.first;
  gate.first = rare_way(at).*line.next;
  if (gate.first == Pipes::kNone) gate.last = Pipes::kNone;
  way(at).*line.waiting = false;
  return at;
}

void Network::serve_next(const Line& line, HostId host) {
  Turnstile& gate = hosts_[host].*line.turnstile;
  if (gate.busy) return;
  // Those whose bytes were dropped while they waited have nothing any more.
  while (gate.first != Pipes::kNone && (rare_way(gate.first).*line.queue).empty())
    release_if_done(first_of(line, gate));
  if (gate.first == Pipes::kNone) return;
  gate.busy = true;
  const Segment& next = segments_[(rare_way(gate.first).*line.queue).first];
  const std::size_t size = std::min(next.left(), turn_of(gate.rate));
  post_line(after(now(), time_of(size, gate.rate)), line.served, host,
            static_cast<std::uint32_t>(size));
}

void Network::on_served(const Line& line, HostId host, std::uint32_t size) {
  Turnstile& gate = hosts_[host].*line.turnstile;
  gate.busy = false;
  const std::uint32_t at = first_of(line, gate);
  Queue& queue = rare_way(at).*line.queue;
  std::uint32_t segment = Segments::kNone;
  if (!queue.empty()) {
    const std::uint32_t first = queue.first;
    segment = segments_[first].left() <= size ? pop(queue) : split(first, size);
  }
  if (!queue.empty()) wait_for(line, at);
  serve_next(line, host);
  if (segment != Segments::kNone) line.up ? depart(at, segment) : arrive(at, segment);
  release_if_done(at);
}

}  // namespace kadmesh
