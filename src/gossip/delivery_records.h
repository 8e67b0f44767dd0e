// Who brought which message, for as long as that matters to their scores (go-libp2p-pubsub,
// score.go "message delivery records").
//
//   begin() ─▶ unknown ─┬▶ valid      senders within the window of P3 are credited
//                       ├▶ invalid    every sender is blamed
//                       └▶ ignored    nobody can be told to be at fault
//
// Bounded in age, and in the number of records and senders together: the oldest records leave
// first. What is not known any more has no effect on anybody.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/crypto.h"
#include "base/peer_id.h"
#include "base/time.h"

namespace kadmesh::gossip {

class DeliveryRecords {
 public:
  enum class Status { unknown, valid, invalid, ignored };
  struct Record {
    Time since;
    Status status = Status::unknown;
    Time validated;               // when it became valid
    std::vector<PeerId> senders;  // ordered; while unknown: of duplicates
  };

  DeliveryRecords(Duration ttl, std::size_t most) : ttl_(ttl), most_(most) {}

  // A record that is unknown and has no senders, whatever was known of an earlier coming.
  Record& begin(const SipHash& message, Time now);
  // Null when there is none.
  Record* find(const SipHash& message);
  // False when the peer was there already, or there is no room even without all older records.
  bool add_sender(Record& record, const PeerId& peer);
  void forget_senders(Record& record);
  void expire(Time now);

  // Records and senders.
  std::size_t size() const { return oldest_first_.size() + senders_; }

 private:
  struct Entry {
    Time since;
    SipHash message;
  };
  void shrink_to(std::size_t most, const Record& keep);
  void forget_oldest();

  Duration ttl_;
  std::size_t most_;
  std::size_t senders_ = 0;
  std::unordered_map<SipHash, Record, SipPrefix> records_;
  std::deque<Entry> oldest_first_;  // one that began anew is here twice
};

}  // namespace kadmesh::gossip
