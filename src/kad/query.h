// One operation as a machine of its own: what it wants next, and what it is told. It knows nothing
// of requests' ids, streams, dials or other operations; its owner (kad/queries.h) does.
//
// The owner calls next() after every input until it answers Rest or Finished. At most one request
// per peer is outstanding in an operation at any time.
#pragma once

#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "base/turn.h"
#include "kad/config.h"
#include "kad/peers.h"
#include "kad/quality.h"
#include "kad/report.h"
#include "kad/routing_table.h"
#include "kad/rtt.h"
#include "kad/wire.h"
#include "store/store.h"

namespace kadmesh {

class BootstrapMachine;

// What an operation may read of its node. All of it outlives every operation.
struct KadView {
  const PeerId& self;
  const KadConfig& config;
  const RoutingTable& table;
  const Peers& peers;
  const BootstrapMachine& bootstrap;
  const std::vector<Multiaddr>& own_addrs;
  const Rtts& rtts;
  const Qualities& qualities;

  // Ourselves as others are told of us.
  KadPeer own_entry() const { return {self, own_addrs, Connectedness::connected}; }
  // Of a connected peer, or one in the table.
  std::vector<Dialable> addrs_of(const PeerId& peer) const;
  Reach reach_of(const PeerId& peer) const;
  // How long the answer to a question is waited for, and after how long it counts as silent.
  Duration timeout_of(const PeerId& peer) const;
  Duration stall_of(const PeerId& peer) const;
};

// --- steps
struct AskPeer {
  Contact to;
  KadMessage message;
  bool expects_reply = true;
};
struct Withdraw {  // nothing more is wanted of the peer
  PeerId peer;
};
// Answered by on_stored with the same tag; never, when nobody waits.
enum class StoreTag : std::uint8_t { unawaited, value, ours };
struct UseStore {
  StoreTag tag;
  StoreRequest request;
};
struct FoundProvider {
  Contact provider;
};
// A sweep has told somebody that we provide the key.
struct Announced {
  Bytes key;
};
struct Converged {  // the walk is over: the closest have answered
};
struct Rest {  // nothing to do before `until`, unless something comes in
  Time until;
};
// A put of the best value to peers that held a worse one or none: in the background, afterwards.
struct Repair {
  std::vector<Contact> to;
  KadRecord record;
};
// What an operation on many rows has seen to (kad/region_query.h).
struct Swept {
  std::optional<std::uint64_t> up_to;  // this place; none: it came to nothing
  bool missed = true;                  // something there stays due
  bool to_end = false;                 // nothing lies behind `up_to`
};
struct Finished {
  Result<KadReport> report;
  std::optional<Repair> repair;
  Swept swept{};
};
using QueryStep =
    std::variant<AskPeer, Withdraw, UseStore, FoundProvider, Announced, Converged, Rest, Finished>;

class Query {
 public:
  virtual ~Query() = default;

  QueryStep next(Turn turn);

  // An answer of the kind that was asked for (for ADD_PROVIDER: that it went out). An error is the
  // peer's fault, and counts as its failure.
  virtual Result<void> on_reply(Turn turn, const PeerId& peer, const KadMessage& message) = 0;
  virtual void on_failure(Turn turn, const PeerId& peer) = 0;
  // It failed by ending the request, which says of who is asked to write that he will not.
  virtual void on_refused(Turn turn, const PeerId& peer) { on_failure(turn, peer); }
  virtual void on_stored(Turn, StoreTag, const StoreResult&) {}
  // A peer has connected: somebody to ask, for who has nobody.
  virtual void on_candidate(const Contact&) {}
  // Time is up, and every outstanding request is withdrawn already. From here on next() answers
  // unawaited stores and then Finished.
  virtual void on_deadline(Turn turn) = 0;
  // The same, and its result will not be looked at.
  virtual void on_cancelled(Turn turn) { on_deadline(turn); }

 protected:
  // To be answered by next() before anything else.
  void first(QueryStep step) { queued_.push_back(std::move(step)); }
  virtual QueryStep advance(Turn turn) = 0;

 private:
  std::deque<QueryStep> queued_;
};

// How an operation ends that found nothing: by whom it could ask and who answered.
Error nothing_found(const KadView& view, const Walk& walk, bool deadline_came);

}  // namespace kadmesh
