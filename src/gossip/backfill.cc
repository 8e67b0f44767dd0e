#include "gossip/backfill.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "gossip/signed_message.h"

namespace kadmesh {
namespace {

constexpr Duration kMostCost = 365 * 24h;  // sums of it and a time are times

std::uint64_t draw_epoch(Rng& luck) {
  std::array<std::uint8_t, 8> bytes{};
  luck.fill(bytes);
  std::uint64_t epoch = 0;
  for (const std::uint8_t byte : bytes) epoch = epoch << 8 | byte;
  return epoch;
}

std::optional<gossip::TopicLog> log_of(const BackfillConfig& config, Rng& luck) {
  if (config.keep != Keep::in_memory) return std::nullopt;
  return gossip::TopicLog({config.topic_messages, config.topic_bytes, config.bytes, config.age},
                          draw_epoch(luck));
}

Errc code_of(BackfillRefusal cause) {
  switch (cause) {
    case BackfillRefusal::unknown_topic:
    case BackfillRefusal::not_kept:
      return Errc::not_found;
    case BackfillRefusal::unknown_cursor:
      return Errc::invalid;
    case BackfillRefusal::rate_limited:
    case BackfillRefusal::busy:
      return Errc::limit;
    case BackfillRefusal::not_subscribed:
      return Errc::protocol;
    case BackfillRefusal::malformed:
    case BackfillRefusal::unavailable:
      return Errc::refused;
  }
  return Errc::protocol;
}

std::size_t bytes_of(const BackfillPage& page) {
  std::size_t bytes = 0;
  for (const Bytes& message : page.messages) bytes += message.size();
  return bytes;
}

}  // namespace

Result<void> check(const BackfillConfig& config) {
  const auto cost = [](Duration one, Duration of) { return one >= 0s && one <= of; };
  if (config.burst < 0s || config.burst > kMostCost || !cost(config.per_question, config.burst) ||
      !cost(config.per_kib, config.burst))
    return fail(Errc::invalid, "backfill: a question and a KiB cost 0 to burst, and burst a year");
  if (config.age < 0s) return fail(Errc::invalid, "backfill: age is negative");
  return {};
}

Backfill::Backfill(Gossip& gossip, BackfillConfig config, Turn start)
    : gossip_(gossip),
      config_(std::move(config)),
      log_(log_of(config_, start.rng)),
      limit_(config_.per_question, config_.per_kib, config_.burst) {
  KAD_CHECK(check(config_).has_value());
}

bool Backfill::subscribed(const Topic& topic) const { return gossip_.subscribed(topic); }

// --- asking
Result<void> Backfill::may_ask(const Topic& topic, const BackfillRange& range) const {
  if (!subscribed(topic)) return fail(Errc::invalid, "backfill: subscribe to the topic first");
  if (range.after.size() > gossip::kMostCursor)
    return fail(Errc::invalid, "backfill: a cursor that nobody gave");
  if (asking_.size() >= kMostOperations)
    return fail(Errc::limit,
                "backfill: " + std::to_string(kMostOperations) + " operations are running here");
  return {};
}

BackfillOp Backfill::ask(Turn turn, const PeerId& peer, Topic topic, BackfillRange range,
                         Time deadline) {
  const BackfillOp op{next_op_++};
  range.most = std::clamp<std::size_t>(range.most, 1, kMostTold);
  BackfillReport report{.peer = peer, .topic = std::move(topic), .next = range.after};
  Asking& asking =
      asking_
          .emplace(op, Asking{peer, std::move(range), deadline, std::move(report), {}, 0, {}, {}})
          .first->second;
  asking.cursors.insert(asking.range.after);
  question(turn, op, asking);
  return op;
}

void Backfill::question(Turn, BackfillOp op, Asking& asking) {
  const BackfillReport& so_far = asking.report;
  BackfillQuestion question{so_far.topic, so_far.next};
  question.most_messages = std::min(question.most_messages, asking.range.most - so_far.told);
  asking.asked = question.most_messages;
  asking.request = BackfillRequestId{next_request_++};
  requests_.emplace(*asking.request, op);
  actions_.emplace_back(BackfillRequest{*asking.request, asking.peer,
                                        gossip::encode_question(question), asking.deadline});
}

void Backfill::cancel(BackfillOp op) {
  const auto at = asking_.find(op);
  if (at != asking_.end() && at->second.request) {
    requests_.erase(*at->second.request);
    actions_.emplace_back(BackfillCancel{*at->second.request});
  }
  if (at != asking_.end()) asking_.erase(at);
  waits_.cancel(op);
  std::erase_if(actions_, [&](const BackfillAction& action) {
    const auto* done = std::get_if<BackfillDone>(&action);
    return done && done->op == op;
  });
}

void Backfill::on_request_failed(BackfillRequestId id, const Error& why) {
  const auto at = requests_.find(id);
  if (at == requests_.end()) return;
  const BackfillOp op = at->second;
  requests_.erase(at);
  fail_with(op, why);
}

void Backfill::on_answer(Turn turn, BackfillRequestId id, ByteView bytes) {
  const auto at = requests_.find(id);
  if (at == requests_.end()) return;
  const BackfillOp op = at->second;
  requests_.erase(at);
  Asking& asking = asking_.at(op);
  asking.request.reset();
  const auto answer = gossip::decode_answer(bytes);
  if (!answer) return fail_with(op, answer.error());
  if (const auto* refusal = std::get_if<BackfillRefused>(&*answer))
    return refused(turn, op, asking, *refusal);
  const auto ends = take(turn, asking, std::get<BackfillPage>(*answer));
  if (!ends) return fail_with(op, ends.error());
  if (*ends) return done(op, std::move(asking.report));
  if (asking.deadline <= turn.now.mono)
    return fail_with(op, {Errc::timeout, "the peer had more to tell at the deadline"});
  question(turn, op, asking);
}

// Whether it was the last page.
Result<bool> Backfill::take(Turn turn, Asking& asking, const BackfillPage& page) {
  BackfillReport& report = asking.report;
  if (page.messages.size() > asking.asked)
    return fail(Errc::protocol, "more messages than were asked for");
  ++report.pages;
  ++counts_.pages;
  report.gap |= page.gap;
  for (const Bytes& message : page.messages) {
    ASSIGN_OR_RETURN(const Backfilled became, take(turn, asking, message));
    if (became == Backfilled::no_room) return true;  // on from the page's beginning
  }
  RETURN_IF_ERROR(go_on(asking, page));
  report.complete = !page.more;
  return report.complete || report.told == asking.range.most;
}

Result<Backfilled> Backfill::take(Turn turn, Asking& asking, ByteView message) {
  BackfillReport& report = asking.report;
  ASSIGN_OR_RETURN(const auto received, gossip::decode_message(message));
  const MessageId id = gossip_.id_of(received);
  if (!asking.ids.insert(id).second) return fail(Errc::protocol, "a message that it told before");
  Backfilled became = Backfilled::duplicate;
  if (!log_ || received.topic != report.topic || !log_->contains(report.topic, id)) {
    ASSIGN_OR_RETURN(became, gossip_.on_backfilled(turn, asking.peer, report.topic, message));
  }
  if (became == Backfilled::no_room) return became;
  ++report.told;
  ++counts_.told;
  report.bytes += message.size();
  if (became == Backfilled::duplicate) return ++report.duplicates, became;
  ++report.taken;
  ++counts_.taken;
  return became;
}

Result<void> Backfill::go_on(Asking& asking, const BackfillPage& page) {
  if (page.more && page.messages.empty())
    return fail(Errc::protocol, "a page with nothing in it and more to come");
  if (page.more && !asking.cursors.insert(page.next).second)
    return fail(Errc::protocol, "a cursor that goes in circles");
  if (!page.next.empty()) asking.report.next = page.next;
  return {};
}

// Those that pass are waited for, where the deadline allows.
void Backfill::refused(Turn turn, BackfillOp op, Asking& asking, const BackfillRefused& refusal) {
  const bool passes = refusal.cause == BackfillRefusal::rate_limited ||
                      refusal.cause == BackfillRefusal::busy ||
                      refusal.cause == BackfillRefusal::not_subscribed;
  const Time again = after(turn.now.mono, std::max(refusal.wait, kLeastWait));
  if (passes && again < asking.deadline) return waits_.set(op, again);
  std::string why = "refused as " + std::string(name(refusal.cause));
  if (!refusal.why.empty()) why += ": " + refusal.why;
  fail_with(op, {code_of(refusal.cause), std::move(why)});
}

void Backfill::fail_with(BackfillOp op, Error why) {
  const BackfillReport& so_far = asking_.at(op).report;
  ++counts_.failed;
  done(op, fail(why.code, "backfill from " + so_far.peer.text() + ": " + why.detail + "; " +
                              std::to_string(so_far.taken) + " new messages in " +
                              std::to_string(so_far.pages) + " pages came before"));
}

void Backfill::done(BackfillOp op, Result<BackfillReport> report) {
  actions_.emplace_back(BackfillDone{op, std::move(report)});
  asking_.erase(op);
}

// --- telling
void Backfill::on_kept(Turn turn, GossipKeep kept) {
  if (log_) log_->add(kept.topic, kept.id, std::move(kept.message), turn.now.mono);
}

void Backfill::on_unsubscribed(const Topic& topic) {
  if (log_) log_->forget(topic);
}

BackfillId Backfill::on_question(Turn turn, const PeerId& peer, ByteView bytes) {
  const BackfillId id{next_id_++};
  const Time now = turn.now.mono;
  if (const auto wait = limit_.admit(peer, now))
    return refuse(turn, id, peer, BackfillRefusal::rate_limited, "", *wait), id;
  const auto question = gossip::decode_question(bytes);
  if (!question)
    return refuse(turn, id, peer, BackfillRefusal::malformed, question.error().detail), id;
  if (!subscribed(question->topic))
    return refuse(turn, id, peer, BackfillRefusal::unknown_topic, ""), id;
  if (!gossip_.subscribes(peer, question->topic))
    return refuse(turn, id, peer, BackfillRefusal::not_subscribed, "", kSubscribeWait), id;
  if (config_.keep != Keep::by_application)
    return reply(turn, id, peer, answer(turn, *question)), id;
  if (answering_.size() >= kMostAnswering)
    return refuse(turn, id, peer, BackfillRefusal::busy, "", kBusyWait), id;
  const Time deadline = after(now, kAnswerTimeout);
  actions_.emplace_back(BackfillAsked{id, peer, *question, deadline});
  answering_.emplace(id, Answering{peer, *question});
  unanswered_.set(id, deadline);
  return id;
}

BackfillAnswer Backfill::answer(Turn turn, const BackfillQuestion& question) {
  if (!log_) return BackfillRefused{BackfillRefusal::not_kept, ""};
  auto page = log_->page(question, turn.now.mono);
  if (page) return *std::move(page);
  return BackfillRefused{BackfillRefusal::unknown_cursor, "the log is another; ask for all of it"};
}

void Backfill::refuse(Turn turn, BackfillId id, const PeerId& peer, BackfillRefusal cause,
                      std::string why, Duration wait) {
  reply(turn, id, peer, BackfillRefused{cause, std::move(why), wait});
}

void Backfill::reply(Turn turn, BackfillId id, const PeerId& peer, const BackfillAnswer& answer) {
  if (const auto* page = std::get_if<BackfillPage>(&answer)) {
    const std::size_t bytes = bytes_of(*page);
    limit_.told(peer, bytes, turn.now.mono);
    ++counts_.served;
    counts_.served_messages += page->messages.size();
    counts_.served_bytes += bytes;
  } else {
    ++counts_.refused;
    if (std::get<BackfillRefused>(answer).cause == BackfillRefusal::rate_limited)
      ++counts_.rate_limited;
  }
  actions_.emplace_back(BackfillReply{id, gossip::encode_answer(answer)});
}

void Backfill::on_gone(BackfillId id) {
  answering_.erase(id);
  unanswered_.cancel(id);
}

Result<void> Backfill::tell(Turn turn, BackfillId id, Result<BackfillPage> page) {
  const auto at = answering_.find(id);
  if (at == answering_.end()) return fail(Errc::not_found, "backfill: nobody waits for this");
  const auto& [peer, question] = at->second;
  if (!page) {
    const bool none = page.error().code == Errc::not_found;
    refuse(turn, id, peer, none ? BackfillRefusal::not_kept : BackfillRefusal::unavailable,
           page.error().detail);
    return on_gone(id), Result<void>();
  }
  const std::size_t bytes = bytes_of(*page);
  if (page->messages.size() > question.most_messages || page->next.size() > gossip::kMostCursor ||
      bytes > gossip::kMostRpc || (bytes > question.most_bytes && page->messages.size() > 1))
    return fail(Errc::limit, "backfill: a page that is more than was asked for");
  reply(turn, id, peer, *std::move(page));
  return on_gone(id), Result<void>();
}

// --- time
void Backfill::on_timer(Turn turn) {
  while (const auto op = waits_.expire(turn.now.mono)) question(turn, *op, asking_.at(*op));
  while (const auto id = unanswered_.expire(turn.now.mono)) {
    refuse(turn, *id, answering_.at(*id).peer, BackfillRefusal::unavailable,
           "its application did not answer");
    answering_.erase(*id);
  }
}

Time Backfill::next_timer() const { return std::min(waits_.next(), unanswered_.next()); }

std::optional<BackfillAction> Backfill::poll() {
  if (actions_.empty()) return std::nullopt;
  BackfillAction action = std::move(actions_.front());
  actions_.pop_front();
  return action;
}

BackfillStats Backfill::stats() const {
  BackfillStats stats = counts_;
  if (log_) stats.kept = log_->messages(), stats.kept_bytes = log_->bytes();
  stats.asking = asking_.size();
  stats.answering = answering_.size();
  return stats;
}

}  // namespace kadmesh
