// Two ends and a wire between them, in virtual time: what a test puts where the kernel and the
// network would be. Deterministic; time moves only when the test says so.
//
//   write() -> unsent --socket buffer has room--> flying --latency--> arrived at the other end
//                      (Written goes back)         (a stalled reader leaves it here)
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace kadmesh {

struct WireOptions {
  Duration latency = 25ms;              // one way
  std::size_t segment = 64 * 1024;      // most bytes of one arrival
  bool ragged = false;                  // arrivals of 1..segment bytes, drawn at random
  std::size_t socket_buffer = 1 << 20;  // bytes that the kernel takes ahead of the reader
};

class Pipe {
 public:
  enum class End : std::uint8_t { a, b };
  struct Arrived {
    Bytes bytes;
  };
  struct Written {
    std::size_t count;
  };
  struct Ended {
    Errc how;  // closed: after the last byte; reset: cut
  };
  struct Delivery {
    End to;
    std::variant<Arrived, Written, Ended> what;
  };
  // Bytes that one end gave away at one instant: how a test counts round trips.
  struct Flight {
    Time at;
    End from;
    std::size_t size;
  };

  explicit Pipe(WireOptions options = {}, std::uint64_t seed = 1) : options_(options), rng_(seed) {}

  static End other(End end) { return end == End::a ? End::b : End::a; }

  void write(End from, Time now, Bytes bytes) {
    if (ended_ || bytes.empty()) return;
    note_flight(from, now, bytes.size());
    lane(from).unsent.push_back(std::move(bytes));
    fill(from, now);
  }
  // What was written arrives first.
  void close(End from, Time now) {
    lane(from).closing = true;
    fill(from, now);
  }
  // As a pulled cable that both kernels notice at once: nothing in flight arrives.
  void cut() {
    ended_ = true;
    for (Lane& lane : lanes_) lane = Lane{};
    deliveries_.clear();
    for (const End end : {End::a, End::b}) deliveries_.push_back({end, Ended{Errc::reset}});
  }
  bool ended() const { return ended_; }
  // The application at `reader` stops reading, and starts again.
  void stall(End reader) { lane(other(reader)).stalled = true; }
  void resume(End reader) { lane(other(reader)).stalled = false; }

  // When something will happen by itself; Time::min() when something has already.
  Time next() const {
    if (!deliveries_.empty()) return Time::min();
    Time soonest = kNever;
    for (const Lane& lane : lanes_) {
      if (!lane.flying.empty() && !lane.stalled)
        soonest = std::min(soonest, lane.flying.front().at);
    }
    return soonest;
  }
  // One thing that has happened by `now`, in order.
  std::optional<Delivery> poll(Time now) {
    if (deliveries_.empty()) land(now);
    if (deliveries_.empty()) return std::nullopt;
    Delivery delivery = std::move(deliveries_.front());
    deliveries_.pop_front();
    return delivery;
  }

  const std::vector<Flight>& flights() const { return flights_; }
  std::size_t unsent(End from) const {
    std::size_t total = 0;
    for (const Bytes& bytes : lanes_[index(from)].unsent) total += bytes.size();
    return total;
  }

 private:
  struct Segment {
    Time at;
    Bytes bytes;  // empty: the end
  };
  struct Lane {
    std::deque<Bytes> unsent;
    std::deque<Segment> flying;
    std::size_t flying_size = 0;
    bool closing = false;
    bool closed = false;
    bool stalled = false;
  };

  static std::size_t index(End end) { return static_cast<std::size_t>(end); }
  Lane& lane(End from) { return lanes_[index(from)]; }

  void note_flight(End from, Time now, std::size_t size) {
    if (!flights_.empty() && flights_.back().at == now && flights_.back().from == from) {
      flights_.back().size += size;
    } else {
      flights_.push_back({now, from, size});
    }
  }

  std::size_t segment_size() {
    return options_.ragged ? 1 + rng_.below(options_.segment) : options_.segment;
  }

  void fill(End from, Time now) {
    Lane& out = lane(from);
    while (!out.unsent.empty() && out.flying_size < options_.socket_buffer) fill_one(from, now);
    if (out.closing && !out.closed && out.unsent.empty()) {
      out.closed = true;
      out.flying.push_back({after(now, options_.latency), {}});
    }
  }

  void fill_one(End from, Time now) {
    Lane& out = lane(from);
    Bytes& head = out.unsent.front();
    const std::size_t room = options_.socket_buffer - out.flying_size;
    const std::size_t count = std::min({segment_size(), head.size(), room});
    const auto cut = head.begin() + static_cast<std::ptrdiff_t>(count);
    out.flying.push_back({after(now, options_.latency), Bytes(head.begin(), cut)});
    head.erase(head.begin(), cut);
    if (head.empty()) out.unsent.pop_front();
    out.flying_size += count;
    deliveries_.push_back({from, Written{count}});
  }

  void land(Time now) {
    for (const End from : {End::a, End::b}) {
      Lane& out = lane(from);
      if (out.stalled || out.flying.empty() || out.flying.front().at > now) continue;
      Segment segment = std::move(out.flying.front());
      out.flying.pop_front();
      out.flying_size -= segment.bytes.size();
      if (segment.bytes.empty()) {
        deliveries_.push_back({other(from), Ended{Errc::closed}});
      } else {
        deliveries_.push_back({other(from), Arrived{std::move(segment.bytes)}});
      }
      fill(from, now);
      return;
    }
  }

  WireOptions options_;
  Rng rng_;
  std::array<Lane, 2> lanes_;
  std::deque<Delivery> deliveries_;
  std::vector<Flight> flights_;
  bool ended_ = false;
};

}  // namespace kadmesh
