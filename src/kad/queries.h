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
#include "kad/stats.h"
#include "kad/trail.h"

namespace kadmesh {

// Whose it is; only the user's end in KadDone.
enum class Purpose {
  user,
  self_lookup,
  refresh,
  republish,
  sweep,
  replicate,
  hand_over,
  probe,
  repair
};

struct QueryStore {
  KadOp op;
  StoreTag tag;
  StoreRequest request;
};
struct QueryEnded {
  KadOp op;
  Purpose purpose;
  Result<KadReport> report;
  Swept swept{};
};

// What one answer, or its failure, says about a peer.
struct Evidence {
  PeerId peer;
  std::optional<Error> failure;
  std::uint64_t where = 0;  // it was looked for: whereabouts() (kad/backoff.h)
};

class Queries {
 public:
  using Event =
      std::variant<KadRequest, KadCancel, QueryStore, KadProvider, Announced, KadStep, QueryEnded>;

  // All outlive this; `rtts` and `qualities` are the view's, and what requests measure goes there.
  Queries(const KadView& view, Rtts& rtts, Qualities& qualities)
      : view_(view), rtts_(rtts), qualities_(qualities) {}

  // With kMostQueries under way it ends at once with Errc::limit. `trail`: its steps leave as
  // KadStep.
  KadOp start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline,
              std::optional<Trail> trail = {});
  void cancel(Turn turn, KadOp op);
  // Ends all with `why`; what is pending stays so.
  void end_all(Turn turn, const Error& why);

  // None when nobody waits for it any more, or when it says nothing of the peer.
  std::optional<Evidence> on_reply(Turn turn, KadRequestId id, ByteView message);
  std::optional<Evidence> on_failed(Turn turn, KadRequestId id, const Error& cause);
  void on_stored(Turn turn, KadOp op, StoreTag tag, const StoreResult& result);
  void on_candidate(Turn turn, const Contact& contact);
  void on_disconnected(const PeerId& peer);
  // What operations wait for may have become impossible.
  void on_news(Turn turn);
  void on_timer(Turn turn);
  Time next_timer() const;

  std::optional<Event> poll();

  std::size_t running() const { return running_.size(); }
  std::size_t running(Purpose purpose) const;
  std::size_t outstanding() const { return asked_.size(); }
  const std::array<RequestStats, kKadTypes>& requests() const { return requests_; }

 private:
  struct Running {
    std::unique_ptr<Query> query;
    Purpose purpose;
    Time deadline;
    std::optional<Trail> trail;  // none: not traced
    std::map<PeerId, KadRequestId> asked{};
    std::optional<Error> instead{};  // told at its end, whatever it came to
  };
  struct Asked {
    KadOp op;
    PeerId peer;
    KadType type;
    bool expects_reply;
    Reach reach;
    Time since;
    Duration timeout;
    std::uint64_t where = 0;  // of who was not connected: whereabouts()
    bool once = true;         // its connection has not ended under it
  };

  Result<KadMessage> read(const Asked& asked, ByteView message) const;
  RequestStats& of_type(KadType type) { return requests_[static_cast<std::size_t>(type)]; }
  Evidence judge(Turn turn, const Asked& asked, Result<KadMessage> message);
  static bool tells(const Asked& asked, const Error& cause);
  std::optional<Asked> take(KadRequestId id);
  void measure_answer(Turn turn, const Asked& asked);
  void measure_worth(Turn turn, const Asked& asked, bool sound);
  void measure_silence(Turn turn, const Asked& asked, const Error& cause);
  void resume(Turn turn, KadOp op);
  void drive(Turn turn, KadOp op);
  void wake_at(Turn turn, KadOp op, const Running& running, Time when);
  void ask(Turn turn, KadOp op, Running& running, AskPeer ask);
  void withdraw(Turn turn, KadOp op, Running& running, const PeerId& peer);
  void withdraw_all(Turn turn, KadOp op, Running& running);
  template <class Tell>
  void trace(KadOp op, Running& running, Tell tell);
  void expire(Turn turn, KadOp op);
  void conclude(Turn turn, KadOp op);
  void end(Turn turn, KadOp op, Finished finished);
  Contact reachable(const Contact& contact) const;

  const KadView& view_;
  Rtts& rtts_;
  Qualities& qualities_;
  std::uint64_t next_op_ = 1, next_request_ = 1;
  std::map<KadOp, Running> running_;
  std::map<KadRequestId, Asked> asked_;
  Deadlines<KadOp> wakes_;
  std::deque<Event> events_;
  std::array<RequestStats, kKadTypes> requests_{};
};

}  // namespace kadmesh
