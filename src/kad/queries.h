// All operations that are under way, the user's and our own, and every request they have
// outstanding.
//
// What holds: an operation ends exactly once, at its deadline at the latest; at its end each of its
// requests has been answered, has failed or leaves as KadCancel before the end is told; whatever
// comes for an operation that is gone is ignored.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/deadlines.h"
#include "kad/action.h"
#include "kad/query.h"

namespace kadmesh {

// Whose it is; only the user's end in KadDone.
enum class Purpose { user, self_lookup, refresh, republish, probe, repair };

struct QueryStore {
  KadOp op;
  StoreTag tag;
  StoreRequest request;
};
struct QueryEnded {
  KadOp op;
  Purpose purpose;
  Result<KadReport> report;
};

// What one answer, or its failure, says about a peer.
struct Evidence {
  PeerId peer;
  std::optional<Error> failure;
};

class Queries {
 public:
  using Event = std::variant<KadRequest, KadCancel, QueryStore, KadProvider, QueryEnded>;

  // `view` outlives this.
  explicit Queries(const KadView& view) : view_(view) {}

  // With kMostQueries under way it ends at once with Errc::limit.
  KadOp start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline);
  void cancel(Turn turn, KadOp op);
  // Ends all with `why`; what is pending stays so.
  void end_all(Turn turn, const Error& why);

  // None when nobody waits for it any more.
  std::optional<Evidence> on_reply(Turn turn, KadRequestId id, ByteView message);
  std::optional<Evidence> on_failed(Turn turn, KadRequestId id, const Error& cause);
  void on_stored(Turn turn, KadOp op, StoreTag tag, const StoreResult& result);
  void on_candidate(Turn turn, const Contact& contact);
  // What operations wait for may have become impossible.
  void on_news(Turn turn);
  void on_timer(Turn turn);
  Time next_timer() const;

  std::optional<Event> poll();

  std::size_t running() const { return running_.size(); }
  std::size_t running(Purpose purpose) const;
  std::size_t outstanding() const { return asked_.size(); }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t failed() const { return failed_; }

 private:
  struct Running {
    std::unique_ptr<Query> query;
    Purpose purpose;
    Time deadline;
    std::map<PeerId, KadRequestId> asked;
    std::optional<Error> instead;  // told at its end, whatever it came to
  };
  struct Asked {
    KadOp op;
    PeerId peer;
    KadType type;
    bool expects_reply;
  };

  Result<KadMessage> read(const Asked& asked, ByteView message) const;
  Evidence judge(Turn turn, const Asked& asked, Result<KadMessage> message);
  std::optional<Asked> take(KadRequestId id);
  void resume(Turn turn, KadOp op);
  void drive(Turn turn, KadOp op);
  void wake_at(Turn turn, KadOp op, const Running& running, Time when);
  void ask(Turn turn, KadOp op, Running& running, AskPeer ask);
  void withdraw(Running& running, const PeerId& peer);
  void withdraw_all(Running& running);
  void expire(Turn turn, KadOp op);
  void conclude(Turn turn, KadOp op);
  void end(Turn turn, KadOp op, Finished finished);
  Contact reachable(const Contact& contact) const;

  const KadView& view_;
  std::uint64_t next_op_ = 1, next_request_ = 1;
  std::map<KadOp, Running> running_;
  std::map<KadRequestId, Asked> asked_;
  Deadlines<KadOp> wakes_;
  std::deque<Event> events_;
  std::uint64_t sent_ = 0, failed_ = 0;
};

}  // namespace kadmesh
