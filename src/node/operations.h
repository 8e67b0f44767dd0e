// What users asked for and have not been answered yet. Every operation ends in exactly one OpDone,
// by its deadline; each step below inherits that deadline.
//
//   connect(addr)  dialing -> done
//   connect(peer)  [finding (DHT) ->] dialing -> done
//   ping           [finding -> dialing ->] pinging -> done
//   open_stream    [finding -> dialing ->] opening -> done
//   backfill       [finding -> dialing ->] asking (Backfill) -> done
//   put, get, ...  asking (Kademlia) -> done
//   await_ready    awaiting -> done
//
// Steps in brackets are skipped when the peer is connected, finding when the book knows an address.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/deadlines.h"
#include "gossip/backfill.h"
#include "kad/kad.h"
#include "node/address_book.h"
#include "node/report.h"
#include "transport/ping.h"
#include "transport/swarm.h"

namespace kadmesh {

class Operations {
 public:
  // At once; one more fails with Errc::limit.
  static constexpr std::size_t kMost = 4096;

  // All outlive this.
  Operations(Swarm& swarm, Pinger& pinger, Kad& kad, Backfill& backfill, AddressBook& book)
      : swarm_(swarm), pinger_(pinger), kad_(kad), backfill_(backfill), book_(book) {}

  OpId connect(Turn turn, const Multiaddr& addr, Time deadline);
  OpId connect(Turn turn, const PeerId& peer, Time deadline);
  OpId ping(Turn turn, const PeerId& peer, Time deadline);
  OpId open_stream(Turn turn, const PeerId& peer, std::vector<std::string> protocols, Bytes first,
                   Time deadline);
  OpId backfill(Turn turn, const PeerId& peer, Topic topic, BackfillRange range, Time deadline);
  OpId await_ready(std::size_t live, Time deadline);
  // An operation that Kademlia has begun and will end.
  OpId adopt(KadOp op);
  void cancel(Turn turn, OpId op);
  // Ends all with `why`, and whatever begins later.
  void close(Turn turn, const Error& why);

  // True when the event answers one of these.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_pinged(const Pinged& pinged);
  // Must be called for every KadDone.
  void on_kad_done(Turn turn, const KadDone& done);
  void on_backfilled(BackfillDone done);
  // Kademlia's view of its live peers may have changed.
  void on_bootstrap(const BootstrapStatus& status);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<OpDone> poll();

  // Which operation a running Kademlia operation belongs to.
  std::optional<OpId> of(KadOp op) const;
  std::size_t running() const { return running_.size(); }

 private:
  struct Connect {
    std::optional<PeerId> peer;
  };
  struct Ping {
    PeerId peer;
  };
  struct OpenStream {
    PeerId peer;
    std::vector<std::string> protocols;
    Bytes first;  // what the stream begins with
  };
  struct CatchUp {
    PeerId peer;
    Topic topic;
    BackfillRange range;
  };
  struct Ask {};
  struct Ready {
    std::size_t live;
  };
  using Goal = std::variant<Connect, Ping, OpenStream, CatchUp, Ask, Ready>;

  struct Op {
    Goal goal;
    Time deadline;
    std::variant<std::monostate, DialId, KadOp, PingId, StreamKey, BackfillOp> step{};
  };

  OpId begin(Goal goal, Time deadline);
  void reach(Turn turn, OpId id, const PeerId& peer);
  Result<StreamKey> open(Turn turn, const OpenStream& goal, Time deadline);
  void catch_up(Turn turn, OpId id);
  void dial(Turn turn, OpId id, std::optional<PeerId> peer, std::span<const Multiaddr> addrs);
  void reached(Turn turn, OpId id, const ConnectionInfo& connection, bool already);
  void found(Turn turn, OpId id, const KadDone& done);
  void on_dialed(Turn turn, OpId id, const DialFinished& dial);
  void note_failures(OpId id, const DialFinished& dial);
  Error too_late(const Op& op) const;
  Error not_ready() const;
  void withdraw(Turn turn, const Op& op);
  void finish(OpId id, Result<OpReport> result);
  void forget_step(OpId id, const Op& op);

  Swarm& swarm_;
  Pinger& pinger_;
  Kad& kad_;
  Backfill& backfill_;
  AddressBook& book_;
  std::uint64_t next_ = 1;
  std::map<OpId, Op> running_;
  std::map<DialId, OpId> by_dial_;
  std::map<KadOp, OpId> by_kad_;
  std::multimap<PingId, OpId> by_ping_;
  std::map<StreamKey, OpId> by_stream_;
  std::map<BackfillOp, OpId> by_backfill_;
  // Of those that nothing below ends in time: what awaits readiness, and a ping, which may have
  // joined one that has longer.
  Deadlines<OpId> deadlines_;
  std::deque<OpDone> done_;
  std::optional<Error> closed_;
};

}  // namespace kadmesh
