// Many messages to many peers: each message goes to a few of them, each peer is sent one at a time.
// At most kMostSending are sent something at once. Whoever fails kMostFailures times in a row, or
// takes longer than kSlow each time, is sent nothing more: all would wait for him. Who will not
// take something does not fail.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace kadmesh {

class Dispatch {
 public:
  static constexpr Duration kSlow = 1s;

  struct Errand {
    Contact to;
    std::size_t message;  // its number
  };
  // A message that nobody is to be sent any more, and whether somebody took it.
  struct Settled {
    std::size_t message;
    bool taken;
  };

  // Gives the message its number: 0 and on, anew after clear().
  std::size_t add(std::span<const Contact> to);
  std::optional<Errand> next(Time now);
  // About a peer that is not being sent anything these do nothing, and say so.
  bool on_taken(Time now, const PeerId& peer) { return on_answer(now, peer, true, true); }
  bool on_refused(Time now, const PeerId& peer) { return on_answer(now, peer, false, true); }
  bool on_failure(Time now, const PeerId& peer) { return on_answer(now, peer, false, false); }
  // What `peer` is being sent.
  std::optional<std::size_t> sending(const PeerId& peer) const;
  std::optional<Settled> poll();

  // Everything added is settled, and polled.
  bool done() const { return open_ == 0 && settled_.empty(); }
  // Settles all as it stands.
  void expire();
  // Forgets the messages, all of which are settled, and not who failed.
  void clear() { messages_.clear(); }

 private:
  struct Message {
    std::size_t open = 0;  // peers that are still to be sent it
    bool taken = false;
  };
  struct Peer {
    Contact contact;
    std::deque<std::size_t> messages;  // the first is on its way when `sending`
    bool sending = false;
    Time since{};              // it is being sent something
    std::size_t failures = 0;  // in a row
  };

  bool on_answer(Time now, const PeerId& peer, bool taken, bool answered);
  void close_one(std::size_t message, bool taken);

  std::vector<Message> messages_;
  std::map<PeerId, Peer> peers_;
  std::set<PeerId> free_;  // peers to be sent something, and not being sent anything
  std::deque<Settled> settled_;
  std::size_t open_ = 0;     // messages
  std::size_t sending_ = 0;  // peers
};

}  // namespace kadmesh
