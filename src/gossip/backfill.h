// Backfill: what a topic said before we came, asked of one peer. A protocol of kadmesh's own, whose
// bytes are proto/backfill.proto; doc/backfill.md says what it is for. Values in, actions out.
//
//   asker   question -> page -> question -> ... -> done       each question a stream of its own
//             |  ^ wait        (rate_limited, busy: again in due time, while the deadline allows)
//             +--+
//   teller  question -> [rate] -> log        -> page
//                              -> application -> page, or `unavailable` at kAnswerTimeout
//
// Rules:
//   - A message is told as its author signed it, and passes the router's checks as one of the mesh
//     does (Gossip::on_backfilled). It is delivered once, whoever else brings it: the router knows
//     what it has seen, and the log what is kept here.
//   - It is not published again: nobody but the asker hears of it.
//   - What the teller does wrong ends the operation, and the error says what it was: a message of
//     another topic, unsigned, altered, told twice, more than was asked for; a page that says
//     `more` and brings nothing, or a cursor that was there before.
//   - An operation brings kMostTold messages at most. Its report says where to go on.
//   - Subscribers alone ask and tell: who leaves a topic keeps nothing of it. The teller answers
//     once it has heard that the asker subscribes, so that what is said behind the last page comes
//     by the mesh: a question on an open connection may well come before the SUBSCRIBE.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "base/deadlines.h"
#include "gossip/backfill_limit.h"
#include "gossip/backfill_wire.h"
#include "gossip/topic_log.h"

namespace kadmesh {

// Who keeps what topics say: nobody, so that others are not told and the protocol is not served;
// this node, in memory; or the application, which is asked for each page (BackfillAsked).
enum class Keep { nothing, in_memory, by_application };

struct BackfillConfig {
  std::string protocol = "/kadmesh/backfill/1.0.0";
  Keep keep = Keep::nothing;
  // What is kept in memory: of each topic, and of all. Bytes count 256 beside each message.
  std::size_t topic_messages = 10'000;
  std::size_t topic_bytes = std::size_t{16} * 1024 * 1024, bytes = std::size_t{64} * 1024 * 1024;
  Duration age = 24h;
  // What one peer may ask: a question costs, a KiB told costs, and so much may be spent at once.
  // 20 questions and 1 MiB a second, 10 MiB at once.
  Duration per_question = 50ms, per_kib = 1ms, burst = 10s;
};
// Errc::invalid names what cannot hold. Whether the protocol's name is one is node's to say.
Result<void> check(const BackfillConfig& config);

enum class BackfillOp : std::uint64_t {};         // an operation of ours
enum class BackfillRequestId : std::uint64_t {};  // a question of ours
enum class BackfillId : std::uint64_t {};         // a question of a peer's

struct BackfillRange {
  Bytes after{};              // `next` of an earlier report of the same peer; empty: all
  std::size_t most = 10'000;  // messages: 1 to kMostTold, and nothing else
};

struct BackfillReport {
  PeerId peer;
  Topic topic;
  std::size_t pages = 0;
  std::size_t told = 0;        // messages
  std::size_t taken = 0;       // of them: new here, so delivered or in validation
  std::size_t duplicates = 0;  // of them: known
  std::uint64_t bytes = 0;
  Bytes next{};           // where to go on
  bool complete = false;  // the peer has no more; otherwise the range ended, or validation is full
  bool gap = false;       // behind range.after the peer no longer keeps all
};

// --- actions
struct BackfillRequest {  // answered by on_answer or on_request_failed, unless cancelled
  BackfillRequestId id;
  PeerId peer;
  Bytes message;  // unframed
  Time deadline;
};
struct BackfillCancel {
  BackfillRequestId id;
};
struct BackfillReply {
  BackfillId id;
  Bytes message;  // unframed
};
// With Keep::by_application: answer with tell() before `deadline`.
struct BackfillAsked {
  BackfillId id;
  PeerId peer;
  BackfillQuestion question;
  Time deadline;
};
struct BackfillDone {  // exactly once for every operation, unless cancelled
  BackfillOp op;
  Result<BackfillReport> report;
};
using BackfillAction =
    std::variant<BackfillRequest, BackfillCancel, BackfillReply, BackfillAsked, BackfillDone>;

struct BackfillStats {
  std::size_t kept = 0, kept_bytes = 0, asking = 0, answering = 0;
  std::uint64_t served = 0;                             // pages told
  std::uint64_t served_messages = 0, served_bytes = 0;  // in them
  std::uint64_t refused = 0, rate_limited = 0;          // questions; the second is of the first
  std::uint64_t pages = 0, told = 0, taken = 0, failed = 0;  // ours: operations that failed
};

class Backfill {
 public:
  static constexpr std::size_t kMostTold = 10'000;    // messages, in one operation
  static constexpr std::size_t kMostOperations = 64;  // at once: each may hold a page
  static constexpr std::size_t kMostAnswering = 64;   // questions that wait for the application
  static constexpr Duration kAnswerTimeout = 5s;
  static constexpr Duration kLeastWait = 50ms;  // before a question is asked again
  static constexpr Duration kBusyWait = 1s;
  static constexpr Duration kSubscribeWait = 100ms;  // until a SUBSCRIBE on its way has come

  // `gossip` outlives this, and `keeps` where anything is to be kept.
  Backfill(Gossip& gossip, BackfillConfig config, Turn start);

  // --- asking. Errc::invalid: we do not subscribe to the topic, or the cursor is none.
  Result<void> may_ask(const Topic& topic, const BackfillRange& range) const;
  // What may_ask() allows. Ends by its deadline if the requests end by theirs.
  BackfillOp ask(Turn turn, const PeerId& peer, Topic topic, BackfillRange range, Time deadline);
  // No BackfillDone follows, not even one already waiting.
  void cancel(BackfillOp op);
  void on_answer(Turn turn, BackfillRequestId id, ByteView answer);
  void on_request_failed(BackfillRequestId id, const Error& why);

  // --- telling
  void on_kept(Turn turn, GossipKeep kept);
  void on_unsubscribed(const Topic& topic);
  // Answered by one BackfillReply, unless on_gone() comes first.
  BackfillId on_question(Turn turn, const PeerId& peer, ByteView question);
  void on_gone(BackfillId id);
  // The application's answer; an error is told as not_kept (Errc::not_found) or unavailable, with
  // its detail. Errc::limit for a page that is more than was asked for, which is not told;
  // Errc::not_found for a question that is answered, gone or none.
  Result<void> tell(Turn turn, BackfillId id, Result<BackfillPage> page);

  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<BackfillAction> poll();

  const BackfillConfig& config() const { return config_; }
  BackfillStats stats() const;

 private:
  struct Asking {
    PeerId peer;
    BackfillRange range;
    Time deadline;
    BackfillReport report;
    std::optional<BackfillRequestId> request;  // none: it waits
    std::size_t asked = 0;                     // messages, in the latest question
    std::set<Bytes> cursors;
    std::set<MessageId, gossip::ByText> ids;
  };
  struct Answering {
    PeerId peer;
    BackfillQuestion question;
  };

  // --- asking
  void question(Turn turn, BackfillOp op, Asking& asking);
  Result<bool> take(Turn turn, Asking& asking, const BackfillPage& page);
  Result<Backfilled> take(Turn turn, Asking& asking, ByteView message);
  Result<void> go_on(Asking& asking, const BackfillPage& page);
  void refused(Turn turn, BackfillOp op, Asking& asking, const BackfillRefused& refusal);
  void fail_with(BackfillOp op, Error why);
  void done(BackfillOp op, Result<BackfillReport> report);

  // --- telling
  BackfillAnswer answer(Turn turn, const BackfillQuestion& question);
  void reply(Turn turn, BackfillId id, const PeerId& peer, const BackfillAnswer& answer);
  void refuse(Turn turn, BackfillId id, const PeerId& peer, BackfillRefusal cause, std::string why,
              Duration wait = {});
  bool subscribed(const Topic& topic) const;

  Gossip& gossip_;
  BackfillConfig config_;
  std::optional<gossip::TopicLog> log_;
  gossip::BackfillLimit limit_;
  std::map<BackfillOp, Asking> asking_;
  std::map<BackfillRequestId, BackfillOp> requests_;
  Deadlines<BackfillOp> waits_;
  std::map<BackfillId, Answering> answering_;
  Deadlines<BackfillId> unanswered_;
  std::uint64_t next_op_ = 1, next_request_ = 1, next_id_ = 1;
  std::deque<BackfillAction> actions_;
  BackfillStats counts_;
};

}  // namespace kadmesh
