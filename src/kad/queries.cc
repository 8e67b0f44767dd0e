#include "kad/queries.h"

#include <algorithm>

#include "base/check.h"
#include "kad/backoff.h"
#include "kad/errand_query.h"

namespace kadmesh {
namespace {

// Others are asked to write: their answer waits for a disk, of whose pace questions tell nothing.
bool is_question(KadType type) {
  return type == KadType::find_node || type == KadType::get_value || type == KadType::get_providers;
}

// Over a connection that stands: who ends every question himself is no better than who is silent.
bool hung_up(const Error& cause) { return cause.code == Errc::reset || cause.code == Errc::closed; }

// What only the peer itself can have written, and no peer may.
bool is_lie(const Error& failure) { return failure.code == Errc::protocol; }

}  // namespace

KadOp Queries::start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline,
                     std::optional<Trail> trail) {
  const KadOp op{next_op_++};
  if (running_.size() >= kMostQueries) {
    events_.push_back(
        QueryEnded{op, purpose, fail(Errc::limit, "too many operations are under way")});
    return op;
  }
  running_.emplace(op, Running{std::move(query), purpose, deadline, std::move(trail)});
  resume(turn, op);
  return op;
}

// --- driving
// The deadline is looked at first, whatever it was that came.
void Queries::resume(Turn turn, KadOp op) {
  const auto at = running_.find(op);
  if (at == running_.end()) return;
  trace(op, at->second, [&](Trail& trail) { trail.on_time(turn.now.mono); });
  if (turn.now.mono >= at->second.deadline)
    expire(turn, op);
  else
    drive(turn, op);
}

void Queries::drive(Turn turn, KadOp op) {
  for (auto at = running_.find(op); at != running_.end(); at = running_.find(op)) {
    Running& running = at->second;
    QueryStep step = running.query->next(turn);
    if (const auto* rest = std::get_if<Rest>(&step)) return wake_at(turn, op, running, rest->until);
    if (auto* wanted = std::get_if<AskPeer>(&step))
      ask(turn, op, running, std::move(*wanted));
    else if (const auto* unwanted = std::get_if<Withdraw>(&step))
      withdraw(turn, op, running, unwanted->peer);
    else if (auto* store = std::get_if<UseStore>(&step))
      events_.push_back(QueryStore{op, store->tag, std::move(store->request)});
    else if (auto* provider = std::get_if<FoundProvider>(&step))
      events_.push_back(KadProvider{op, std::move(provider->provider)});
    else if (auto* announced = std::get_if<Announced>(&step))
      events_.push_back(std::move(*announced));
    else if (std::holds_alternative<Converged>(step))
      trace(op, running, [&](Trail& trail) { trail.converged(turn.now.mono); });
    else
      return end(turn, op, std::get<Finished>(std::move(step)));
  }
}

// Never at this very instant again: each tick gets somewhere.
void Queries::wake_at(Turn turn, KadOp op, const Running& running, Time when) {
  wakes_.set(op, std::min(std::max(when, after(turn.now.mono, 1ns)), running.deadline));
}

void Queries::ask(Turn turn, KadOp op, Running& running, AskPeer ask) {
  const KadRequestId id{next_request_++};
  const PeerId peer = ask.to.peer;
  KAD_CHECK(running.asked.emplace(peer, id).second);
  const KadType type = ask.message.type;
  const Duration timeout =
      is_question(type) ? view_.timeout_of(peer) : view_.config.request_timeout;
  const Reach reach = view_.reach_of(peer);
  const std::uint64_t where = reach == Reach::cold ? whereabouts(ask.to.addrs) : 0;
  asked_.emplace(id,
                 Asked{op, peer, type, ask.expects_reply, reach, turn.now.mono, timeout, where});
  ++of_type(type).sent;
  events_.push_back(KadRequest{id, reachable(ask.to), encode_request(ask.message),
                               ask.expects_reply,
                               std::min(running.deadline, after(turn.now.mono, timeout))});
  trace(op, running, [&](Trail& trail) {
    const Time stalls = is_question(type) ? after(turn.now.mono, view_.stall_of(peer)) : kNever;
    trail.asked(turn.now.mono, peer, type, stalls);
  });
}

template <class Tell>
void Queries::trace(KadOp op, Running& running, Tell tell) {
  if (!running.trail) return;
  tell(*running.trail);
  while (auto step = running.trail->poll()) events_.push_back(KadStep{op, *std::move(step)});
}

// What we know ourselves of where it is, before what others said.
Contact Queries::reachable(const Contact& contact) const {
  std::vector<Dialable> addrs = view_.addrs_of(contact.peer);
  for (const Dialable& heard : contact.addrs)
    if (std::ranges::find(addrs, heard.addr(), &Dialable::addr) == addrs.end())
      addrs.push_back(heard);
  if (addrs.size() > kMostAddrs) addrs.resize(kMostAddrs, addrs.front());
  return {contact.peer, std::move(addrs)};
}

void Queries::withdraw(Turn turn, KadOp op, Running& running, const PeerId& peer) {
  const auto at = running.asked.find(peer);
  if (at == running.asked.end()) return;
  events_.push_back(KadCancel{at->second});
  ++of_type(asked_.at(at->second).type).withdrawn;
  asked_.erase(at->second);
  running.asked.erase(at);
  trace(op, running, [&](Trail& trail) { trail.withdrawn(turn.now.mono, peer); });
}

void Queries::withdraw_all(Turn turn, KadOp op, Running& running) {
  while (!running.asked.empty()) withdraw(turn, op, running, PeerId(running.asked.begin()->first));
}

void Queries::expire(Turn turn, KadOp op) {
  Running& running = running_.at(op);
  withdraw_all(turn, op, running);
  running.query->on_deadline(turn);
  conclude(turn, op);
}

void Queries::cancel(Turn turn, KadOp op) {
  const auto at = running_.find(op);
  if (at == running_.end()) return;
  withdraw_all(turn, op, at->second);
  at->second.instead = Error{Errc::cancelled, "withdrawn by its caller"};
  at->second.query->on_cancelled(turn);
  conclude(turn, op);
}

void Queries::end_all(Turn turn, const Error& why) {
  while (!running_.empty()) {
    running_.begin()->second.instead = why;
    expire(turn, running_.begin()->first);
  }
}

void Queries::conclude(Turn turn, KadOp op) {
  drive(turn, op);
  KAD_CHECK(!running_.contains(op));
}

void Queries::end(Turn turn, KadOp op, Finished finished) {
  auto node = running_.extract(op);
  Running& running = node.mapped();
  withdraw_all(turn, op, running);
  wakes_.cancel(op);
  if (running.instead) {
    events_.push_back(QueryEnded{op, running.purpose, std::unexpected(*running.instead)});
    return;
  }
  events_.push_back(QueryEnded{op, running.purpose, std::move(finished.report), finished.swept});
  if (!finished.repair) return;
  const Time deadline = after(turn.now.mono, kBackgroundDeadline);
  start(turn, ErrandQuery::repair(*std::move(finished.repair), deadline), Purpose::repair,
        deadline);
}

// --- answers
std::optional<Queries::Asked> Queries::take(KadRequestId id) {
  auto node = asked_.extract(id);
  if (node.empty()) return std::nullopt;
  running_.at(node.mapped().op).asked.erase(node.mapped().peer);
  return node.mapped();
}

void Queries::measure_answer(Turn turn, const Asked& asked) {
  if (is_question(asked.type) && asked.once)
    rtts_.answered(asked.peer, asked.reach, asked.since, turn.now.mono);
}

void Queries::measure_worth(Turn turn, const Asked& asked, bool sound) {
  const Time now = turn.now.mono;
  if (!view_.config.quality) return;
  if (!sound)
    qualities_.lied(asked.peer, now);
  else if (is_question(asked.type))
    qualities_.answered(
        asked.peer,
        asked.once && asked.reach == Reach::warm ? std::optional(now - asked.since) : std::nullopt,
        now);
}

// Whoever had less than its whole time, as the operation's deadline was nearer, has missed nothing.
void Queries::measure_silence(Turn turn, const Asked& asked, const Error& cause) {
  if (!is_question(asked.type)) return;
  const Time now = turn.now.mono;
  const bool missed = cause.code == Errc::timeout && now >= after(asked.since, asked.timeout);
  if (missed) rtts_.missed(asked.peer, asked.reach, asked.since, now);
  if (!view_.config.quality) return;
  if (asked.reach == Reach::cold && (missed || cause.code == Errc::unreachable))
    qualities_.absent(asked.peer, asked.since, now);
  else if (asked.reach == Reach::warm && asked.once && (missed || hung_up(cause)))
    qualities_.silent(asked.peer, asked.since, now);
}

Result<KadMessage> Queries::read(const Asked& asked, ByteView message) const {
  if (!asked.expects_reply) return KadMessage{asked.type, {}, {}, {}, {}};
  auto answer = decode_kad(message, {kMostReply, 2 * view_.config.k, kMostProviders});
  if (!answer && answer.error().code == Errc::limit) return answer;
  if (!answer) return fail(Errc::protocol, to_string(answer.error()));
  if (answer->type == asked.type) return answer;
  return fail(Errc::protocol,
              std::string(name(asked.type)) + " answered with " + std::string(name(answer->type)));
}

Evidence Queries::judge(Turn turn, const Asked& asked, Result<KadMessage> message) {
  Running& running = running_.at(asked.op);
  Result<void> good;
  if (message)
    good = running.query->on_reply(turn, asked.peer, *message);
  else
    good = std::unexpected(message.error());
  of_type(asked.type).ended.count(good ? nullptr : &good.error());
  const Time now = turn.now.mono;
  trace(asked.op, running, [&](Trail& trail) {
    good ? trail.answered(now, asked.peer, message->closer)
         : trail.failed(now, asked.peer, good.error());
  });
  if (good) return {asked.peer, std::nullopt};
  if (good.error().code == Errc::reset)
    running.query->on_refused(turn, asked.peer);
  else
    running.query->on_failure(turn, asked.peer);
  return {asked.peer, good.error(), asked.where};
}

// Whether a failed request says something of the peer as one to ask. Who is there and slow to
// write, or will not, answers questions as well as any.
bool Queries::tells(const Asked& asked, const Error& cause) {
  const bool not_written = cause.code == Errc::timeout || cause.code == Errc::reset;
  return is_question(asked.type) || asked.reach == Reach::cold || !not_written;
}

std::optional<Evidence> Queries::on_reply(Turn turn, KadRequestId id, ByteView message) {
  const auto asked = take(id);
  if (!asked) return std::nullopt;
  measure_answer(turn, *asked);
  Evidence evidence = judge(turn, *asked, read(*asked, message));
  if (!evidence.failure || is_lie(*evidence.failure))
    measure_worth(turn, *asked, !evidence.failure);
  resume(turn, asked->op);
  return evidence;
}

std::optional<Evidence> Queries::on_failed(Turn turn, KadRequestId id, const Error& cause) {
  const auto asked = take(id);
  if (!asked) return std::nullopt;
  measure_silence(turn, *asked, cause);
  Evidence evidence = judge(turn, *asked, std::unexpected(cause));
  resume(turn, asked->op);
  return tells(*asked, cause) ? std::optional(std::move(evidence)) : std::nullopt;
}

void Queries::on_stored(Turn turn, KadOp op, StoreTag tag, const StoreResult& result) {
  const auto at = running_.find(op);
  if (at == running_.end()) return;
  at->second.query->on_stored(turn, tag, result);
  resume(turn, op);
}

void Queries::on_candidate(Turn turn, const Contact& contact) {
  for (auto& [op, running] : running_) running.query->on_candidate(contact);
  on_news(turn);
}

void Queries::on_disconnected(const PeerId& peer) {
  for (const auto& [op, running] : running_)
    if (const auto at = running.asked.find(peer); at != running.asked.end())
      asked_.at(at->second).once = false;
}

void Queries::on_news(Turn turn) {
  std::vector<KadOp> ops;
  ops.reserve(running_.size());
  for (const auto& [op, running] : running_) ops.push_back(op);
  for (const KadOp op : ops) resume(turn, op);
}

void Queries::on_timer(Turn turn) {
  while (const auto op = wakes_.expire(turn.now.mono)) resume(turn, *op);
}

Time Queries::next_timer() const { return wakes_.next(); }

std::optional<Queries::Event> Queries::poll() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::size_t Queries::running(Purpose purpose) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      running_, [&](const auto& item) { return item.second.purpose == purpose; }));
}

}  // namespace kadmesh
