// Covers: src/gossip/backfill.cc src/gossip/backfill_wire.cc src/gossip/topic_log.cc
// src/gossip/backfill_limit.cc
//
// A node that keeps in memory, and peers that ask it and tell it whatever they like. What must
// hold: every operation ends once and by its deadline, every question has one answer, and the
// application hears of a message once.
#include <array>
#include <map>
#include <set>

#include "base/check.h"
#include "fuzz_input.h"
#include "gossip/backfill.h"
#include "gossip/signed_message.h"
#include "gossip/wire.h"

using namespace kadmesh;

namespace {

const KeyPair& key(std::uint8_t n) {
  static std::map<std::uint8_t, KeyPair> keys;
  if (const auto at = keys.find(n); at != keys.end()) return at->second;
  Ed25519Seed seed{};
  seed[0] = n;
  return keys.emplace(n, KeyPair::from_seed(seed)).first->second;
}

constexpr std::size_t kMessages = 24;
const Bytes& message(std::size_t n) {
  static const auto kAll = [] {
    std::array<Bytes, kMessages> all;
    for (std::size_t i = 0; i < kMessages; ++i) {
      Bytes seqno(8);
      seqno[7] = static_cast<std::uint8_t>(i);
      all[i] = gossip::encode_message({key(9).peer_id(), Bytes(i * i, 'x'), seqno, "t"}, &key(9));
    }
    return all;
  }();
  return kAll[n];
}

class Play {
 public:
  explicit Play(FuzzInput script)
      : script_(script),
        gossip_(key(0), keeping(), turn()),
        backfill_(gossip_, config(script_.u8()), turn()) {
    KAD_CHECK(gossip_.subscribe(turn(), "t").has_value());
    // The third is connected and has not subscribed.
    for (std::uint8_t n = 1; n <= 3; ++n) gossip_.on_connected(turn(), key(n).peer_id(), {}, false);
    gossip::Rpc joins;
    joins.subscriptions.push_back({true, "t"});
    const Bytes framed = gossip::encode_rpc(joins).front();
    for (std::uint8_t n = 1; n <= 2; ++n)
      gossip_.on_rpc(turn(), key(n).peer_id(), ByteView(framed).subspan(1));
  }

  void run() {
    for (int steps = 0; steps < 400 && !script_.empty(); ++steps) {
      step();
      drain();
    }
    finish();
  }

 private:
  static GossipConfig keeping() {
    GossipConfig config;
    config.keeps = true;
    return config;
  }
  static BackfillConfig config(std::uint8_t small) {
    BackfillConfig config;
    config.keep = Keep::in_memory;
    config.topic_messages = small % 16u;
    config.topic_bytes = 64u * small;
    config.burst = 1s;
    return config;
  }
  Turn turn() { return {{now_, WallTime{1s}}, rng_}; }
  const PeerId& peer() { return key(static_cast<std::uint8_t>(1 + script_.below(3))).peer_id(); }

  void step() {
    switch (script_.below(7)) {
      case 0:
        return pass(Duration(std::chrono::milliseconds(script_.u16())));
      case 1:
        return ask();
      case 2:
        return answer_page();
      case 3:
        return answer(Bytes(to_bytes(script_.bytes(script_.below(64)))));
      case 4:
        return question();
      case 5:
        if (!asked_.empty()) backfill_.on_request_failed(take_asked(), {Errc::reset, "so"});
        return;
      default:
        return cancel();
    }
  }

  void ask() {
    BackfillRange range{to_bytes(script_.bytes(script_.below(3))), script_.below(32)};
    if (!backfill_.may_ask("t", range)) return;
    const Time deadline = after(now_, std::chrono::milliseconds(script_.u16()));
    const BackfillOp op = backfill_.ask(turn(), peer(), "t", std::move(range), deadline);
    running_.insert(op);
  }
  void cancel() {
    if (running_.empty()) return;
    const BackfillOp op = *running_.begin();
    running_.erase(op);
    backfill_.cancel(op);
  }

  BackfillRequestId take_asked() {
    const auto at = std::next(
        asked_.begin(),
        script_.below(static_cast<std::uint32_t>(std::min<std::size_t>(asked_.size(), 256))));
    const BackfillRequestId id = at->first;
    asked_.erase(at);
    return id;
  }
  void answer(Bytes bytes) {
    if (!asked_.empty()) backfill_.on_answer(turn(), take_asked(), bytes);
  }
  void answer_page() {
    BackfillPage page;
    const std::uint32_t count = script_.below(6);
    for (std::uint32_t i = 0; i < count; ++i) {
      Bytes one = message(script_.below(kMessages));
      if (script_.below(16) == 0) one[script_.below(256) % one.size()] ^= 1;
      page.messages.push_back(std::move(one));
    }
    page.next = to_bytes(script_.bytes(script_.below(3)));
    page.more = script_.below(2) == 1;
    BackfillAnswer all = std::move(page);
    if (script_.below(8) == 0)
      all = BackfillRefused{static_cast<BackfillRefusal>(1 + script_.below(8)), "so",
                            std::chrono::milliseconds(script_.u16())};
    const Bytes encoded = gossip::encode_answer(all);
    const auto again = gossip::decode_answer(encoded);
    KAD_CHECK(again && gossip::encode_answer(*again) == encoded);
    answer(encoded);
  }
  void question() {
    Bytes bytes = gossip::encode_question({"t", cursor_, script_.u8(), script_.u16()});
    if (script_.below(4) == 0) bytes = to_bytes(script_.bytes(script_.below(64)));
    ++questions_;
    backfill_.on_question(turn(), peer(), bytes);
  }

  void pass(Duration time) {
    const Time end = after(now_, time);
    // Questions that nobody answered end at their deadlines, as streams do.
    while (true) {
      Time next = std::min(backfill_.next_timer(), gossip_.next_timer());
      for (const auto& [id, deadline] : asked_) next = std::min(next, deadline);
      if (next > end) break;
      now_ = std::max(now_, next);
      if (backfill_.next_timer() <= now_) backfill_.on_timer(turn());
      if (gossip_.next_timer() <= now_) gossip_.on_timer(turn());
      expire();
      drain();
    }
    now_ = end;
  }
  void expire() {
    for (auto at = asked_.begin(); at != asked_.end();) {
      if (at->second > now_) {
        ++at;
        continue;
      }
      const BackfillRequestId id = at->first;
      at = asked_.erase(at);
      backfill_.on_request_failed(id, {Errc::timeout, "so"});
    }
  }

  void drain() {
    while (auto action = gossip_.poll()) {
      if (auto* keep = std::get_if<GossipKeep>(&*action))
        backfill_.on_kept(turn(), std::move(*keep));
      if (auto* told = std::get_if<GossipDeliver>(&*action)) heard(*told);
    }
    while (auto action = backfill_.poll()) std::visit([&](auto& a) { on(a); }, *action);
    const BackfillStats stats = backfill_.stats();
    KAD_CHECK(stats.asking == running_.size());
    KAD_CHECK(questions_ == 0);
    KAD_CHECK(stats.kept_bytes <= backfill_.config().topic_bytes);
    KAD_CHECK(stats.kept <= backfill_.config().topic_messages);
  }
  // Once within what the router remembers.
  void heard(const GossipDeliver& message) {
    KAD_CHECK(message.backfilled);
    const auto [at, fresh] = heard_.try_emplace(message.id, now_);
    KAD_CHECK(fresh || after(at->second, GossipConfig{}.seen_ttl) <= now_);
    at->second = now_;
  }
  void on(BackfillRequest& a) {
    KAD_CHECK(gossip::decode_question(a.message).has_value());
    asked_.emplace(a.id, a.deadline);
  }
  void on(BackfillCancel& a) { asked_.erase(a.id); }
  void on(BackfillReply& a) {
    --questions_;
    KAD_CHECK(a.message.size() <= gossip::kMostAnswer);
    const auto answer = gossip::decode_answer(a.message);
    KAD_CHECK(answer.has_value());
    const auto* page = std::get_if<BackfillPage>(&*answer);
    if (!page) return;
    KAD_CHECK(!page->more || !page->messages.empty());
    cursor_ = page->next;
  }
  void on(BackfillAsked&) { KAD_CHECK(false); }  // it keeps in memory
  void on(BackfillDone& a) {
    KAD_CHECK(running_.erase(a.op) == 1);
    if (a.report) KAD_CHECK(a.report->told == a.report->taken + a.report->duplicates);
  }

  void finish() {
    pass(70s);  // more than any deadline
    KAD_CHECK(running_.empty() && asked_.empty());
    KAD_CHECK(backfill_.stats().asking == 0);
    KAD_CHECK(backfill_.next_timer() == kNever);
  }

  FuzzInput script_;
  Time now_{1h};
  Rng rng_{7};
  Gossip gossip_;
  Backfill backfill_;
  std::set<BackfillOp> running_;
  std::map<BackfillRequestId, Time> asked_;
  std::map<MessageId, Time> heard_;
  Bytes cursor_;
  int questions_ = 0;  // not answered
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto question = gossip::decode_question(bytes))
    KAD_CHECK(gossip::decode_question(gossip::encode_question(*question)).has_value());
  if (const auto answer = gossip::decode_answer(bytes))
    KAD_CHECK(gossip::decode_answer(gossip::encode_answer(*answer)).has_value());
  Play(FuzzInput(data, size)).run();
  return 0;
}
