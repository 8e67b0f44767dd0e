// When values that are here are copied to others, so that they stay in the network although their
// holders leave.
//
//   a round      once an interval, drawn between half of it and all: kad/replicate_query.h
//   a hand-over  to each server that comes to live near us, a drawn part of kHandOverDelay after
//                that: kad/hand_over_query.h. To each once in an interval; and not while we have
//                only just come ourselves: then all of our neighbours are new to us, and none is to
//                the others.
//
// One of each at a time. With an interval of zero there is neither.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>

#include "base/peer_id.h"
#include "base/turn.h"

namespace kadmesh {

class Replication {
 public:
  struct Round {
    std::uint64_t from;  // a place (store/record.h): where the one before was cut short
  };
  struct HandOver {
    PeerId to;
  };

  explicit Replication(Duration interval) : interval_(interval) {}

  // The number of live peers left 0, or came back to it.
  void on_reachable(Turn turn);
  void on_unreachable();
  // A server entered among the nearest to us.
  void on_neighbour(Turn turn, const PeerId& peer);

  // What is to be done now; answered once it is done.
  std::optional<std::variant<Round, HandOver>> poll(Turn turn);
  // `seen_to`: a place up to which all is seen to; `to_end`: and nothing lies behind it.
  void on_round_ended(std::optional<std::uint64_t> seen_to, bool to_end);
  void on_handed_over() { handing_over_ = false; }
  Time next_timer() const;

 private:
  struct Waiting {
    Time when;
    PeerId peer;
  };

  void draw_round(Turn turn);
  bool note_newcomer(Time now, const PeerId& peer);
  Time round_due() const { return in_round_ ? kNever : next_round_; }
  Time hand_over_due() const {
    return handing_over_ || waiting_.empty() ? kNever : waiting_.front().when;
  }

  Duration interval_;
  bool reachable_ = false, in_round_ = false, handing_over_ = false;
  Time next_round_ = kNever;
  std::uint64_t from_ = 0;  // of the next round
  Time joined_{};
  std::map<PeerId, Time> handed_;  // when it was; at most kMostHandedOver
  std::deque<Waiting> waiting_;    // by time; at most kMostHandOvers: a round makes up for the rest
};

}  // namespace kadmesh
