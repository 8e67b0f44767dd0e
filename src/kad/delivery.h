// One message to each of a few peers, and who took it.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "kad/query.h"

namespace kadmesh {

class Delivery {
 public:
  // All at once: k peers of each path at most, whom a walk has just talked to.
  Delivery(std::vector<Contact> to, KadMessage message, bool expects_reply)
      : to_(std::move(to)), message_(std::move(message)), expects_reply_(expects_reply) {}

  // Until everybody is asked.
  std::optional<AskPeer> next();
  void on_taken(const PeerId& peer);
  void on_failure(const PeerId& peer) { outstanding_.erase(peer); }
  void expire() { outstanding_.clear(); }

  bool done() const { return asked_ == to_.size() && outstanding_.empty(); }
  std::size_t asked() const { return asked_; }
  std::size_t taken() const { return taken_; }

 private:
  std::vector<Contact> to_;
  KadMessage message_;
  bool expects_reply_;
  std::size_t asked_ = 0, taken_ = 0;
  std::set<PeerId> outstanding_;
};

// The walk before a delivery may take two thirds of the time; what it found by then is delivered
// to.
Time walk_deadline(Time started, Time deadline);

// PUT_VALUE of a record. Its answer must repeat the value: what else it says is not looked at.
KadMessage put_message(const KadRecord& record);
Result<void> check_echo(const KadMessage& answer, const KadRecord& record);

}  // namespace kadmesh
