// Covers: src/kad/kad.cc src/kad/queries.cc src/kad/search.cc src/kad/lookup.cc
// Covers: src/kad/get_query.cc src/kad/put_query.cc src/kad/provide_query.cc
// Covers: src/kad/providers_query.cc src/kad/find_query.cc src/kad/closest_query.cc
// Covers: src/kad/server.cc src/kad/bootstrap.cc src/kad/republish.cc src/kad/trail.cc
//
// One Kad among peers, a disk and a user who do what the input says, in any order, and a ledger of
// what is owed: every request is answered or withdrawn once, every operation ends once, every
// inbound request is answered once, and once closed nothing is owed.
#include <map>
#include <set>

#include "../kad/people.h"
#include "base/check.h"
#include "kad/kad.h"
#include "kad/wire.h"
#include "store/memory_store.h"

using namespace kadmesh;
using testing::home;
using testing::peer;

namespace {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  Bytes bytes(std::size_t most) {
    const std::size_t count = std::min({static_cast<std::size_t>(byte()), most, rest_.size()});
    const Bytes taken = to_bytes(rest_.first(count));
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <class Map>
  auto pick(Map& from) {
    auto at = from.begin();
    if (!from.empty()) std::advance(at, byte() % from.size());
    return at;
  }

 private:
  ByteView rest_;
};

KadConfig config_of(std::uint8_t choice) {
  KadConfig config;
  config.k = 1 + choice % 4;
  config.alpha = 1 + choice / 4 % 3;
  config.beta = 1 + choice / 16 % 3;
  config.mode = choice / 64 % 2 == 0 ? KadMode::server : KadMode::client;
  config.adaptive = choice % 2 == 0;
  if (choice >= 128) config.seeds = {home(1), home(2).with_peer(peer(2))};
  config.validators.set("v", std::make_shared<PassThroughValidator>());
  return config;
}

class World {
 public:
  static constexpr std::uint32_t kPeers = 12;

  explicit World(Input& in) : in_(in), kad_(peer(0), config_of(in.byte()), turn()) { drain(); }

  void run() {
    while (!in_.empty()) {
      step();
      drain();
    }
    close();
  }

 private:
  Turn turn() { return {{now_, WallTime(1'000h) + now_.time_since_epoch()}, rng_}; }
  PeerId somebody() { return peer(in_.byte() % kPeers); }
  Bytes key() { return {'/', 'v', '/', static_cast<std::uint8_t>('a' + in_.byte() % 4)}; }
  Time deadline() { return after(now_, in_.byte() % 16 * 1s); }

  void step() {
    switch (in_.byte() % 13) {
      case 0:
        return connect(somebody());
      case 1:
        return disconnect(somebody());
      case 2:
        return identified(somebody());
      case 3:
        return kad_.on_unidentified(turn(), somebody());
      case 4:
        return begin();
      case 5:
        return cancel();
      case 6:
        return reply();
      case 7:
        return fail_request();
      case 8:
        return pass(in_.byte() * 50ms);
      case 9:
        return inbound();
      case 10:
        return stored();
      case 11:
        return dialed();
      default:
        return news();
    }
  }

  void connect(const PeerId& id) {
    if (id == peer(0) || !connected_.insert(id).second) return;
    std::optional<Dialable> dialed;
    if (in_.byte() % 2) dialed.emplace(home(in_.byte()), Source::dialed);
    kad_.on_connected(turn(), id, dialed);
  }
  void disconnect(const PeerId& id) {
    if (connected_.erase(id) > 0) kad_.on_disconnected(turn(), id);
  }
  void identified(const PeerId& id) {
    std::vector<Dialable> addrs;
    if (in_.byte() % 4) addrs.emplace_back(home(in_.byte()), Source::identify);
    kad_.on_identified(turn(), id, in_.byte() % 4 != 0, addrs);
  }
  void begin() {
    switch (in_.byte() % 6) {
      case 0:
        return began(kad_.get(turn(), key(), deadline(), {.trace = true}));
      case 1:
        return began(kad_.put(turn(), key(), in_.bytes(40), deadline()));
      case 2:
        return began(kad_.provide(turn(), key(), deadline()));
      case 3:
        return began(kad_.find_providers(turn(), key(), in_.byte() % 3, deadline()));
      case 4:
        return began(kad_.find_peer(turn(), somebody(), deadline()));
      default:
        return began(kad_.find_closest(turn(), in_.bytes(4), deadline(), {.trace = true}));
    }
  }
  void began(KadOp op) { KAD_CHECK(running_.emplace(op, now_).second); }
  void cancel() {
    if (const auto at = in_.pick(running_); at != running_.end()) {
      const KadOp op = at->first;
      kad_.cancel(turn(), op);
      drain();
      KAD_CHECK(!running_.contains(op));
    }
  }

  KadMessage answer_to(const KadRequest& request) {
    KadMessage message = decode_kad(request.message, {}).value();
    message.closer.clear();
    message.providers.clear();
    for (int i = in_.byte() % 6; i > 0; --i)
      message.closer.push_back({somebody(), {home(in_.byte())}, {}});
    for (int i = in_.byte() % 3; i > 0; --i) message.providers.push_back({somebody(), {}, {}});
    if (in_.byte() % 2) message.record = KadRecord{message.key, in_.bytes(40), {}};
    return message;
  }
  void reply() {
    const auto at = in_.pick(asked_);
    if (at == asked_.end()) return;
    const KadRequest request = std::move(at->second);
    asked_.erase(at);
    Bytes bytes;
    if (request.expects_reply)
      bytes = in_.byte() % 4 ? encode_answer(answer_to(request)) : in_.bytes(64);
    kad_.on_reply(turn(), request.id, bytes);
    kad_.on_reply(turn(), request.id, bytes);  // twice changes nothing
  }
  void fail_request() {
    const auto at = in_.pick(asked_);
    if (at == asked_.end()) return;
    const KadRequestId id = at->first;
    asked_.erase(at);
    kad_.on_request_failed(turn(), id, {static_cast<Errc>(in_.byte() % 15), "as it happens"});
  }

  void pass(Duration time) {
    const Time end = after(now_, time);
    for (int i = 0; i < 1000 && kad_.next_timer() <= end; ++i) {
      now_ = std::max(now_, kad_.next_timer());
      kad_.on_timer(turn());
      KAD_CHECK(kad_.next_timer() > now_);
      drain();
    }
    now_ = end;
  }

  void inbound() {
    KadMessage message{static_cast<KadType>(in_.byte() % 6), key(), {}, {}, {}};
    if (in_.byte() % 2) message.record = KadRecord{message.key, in_.bytes(40), {}};
    const PeerId from = somebody();
    if (in_.byte() % 2) message.providers = {{from, {home(1)}, {}}};
    const Bytes bytes = in_.byte() % 4 ? encode_request(message) : in_.bytes(64);
    const KadInboundId id = kad_.on_request(turn(), from, bytes);
    KAD_CHECK(inbound_.insert(id).second);
  }

  void stored() {
    const auto at = in_.pick(storing_);
    if (at == storing_.end()) return;
    const KadStore action = std::move(at->second);
    storing_.erase(at);
    StoreResult result = fail(Errc::io, "as it happens");
    if (in_.byte() % 8) result = store_.run(turn().now.wall, {action.request}).front();
    kad_.on_stored(turn(), action.id, result);
  }
  void dialed() {
    if (dials_.empty()) return;
    const Multiaddr seed = *dials_.begin();
    dials_.erase(dials_.begin());
    if (in_.byte() % 2) return kad_.on_seed_dialed(turn(), seed, fail(Errc::unreachable, "no"));
    const PeerId found = seed.peer().value_or(somebody());
    if (found != peer(0)) connect(found);
    kad_.on_seed_dialed(turn(), seed, found);
  }
  void news() {
    if (in_.byte() % 2) return kad_.on_network_changed(turn());
    std::vector<Multiaddr> addrs;
    if (in_.byte() % 2) addrs.push_back(home(in_.byte()));
    kad_.on_own_addrs(turn(), addrs);
  }

  void act(KadRequest& a) {
    KAD_CHECK(a.deadline > now_ && a.to.peer != peer(0));
    KAD_CHECK(decode_kad(a.message, {}).has_value());
    KAD_CHECK(asked_.emplace(a.id, std::move(a)).second);
  }
  void act(KadCancel& a) { KAD_CHECK(asked_.erase(a.id) == 1); }
  void act(KadReply& a) {
    KAD_CHECK(inbound_.erase(a.id) == 1);
    if (a.message) KAD_CHECK(decode_kad(*a.message, {}).has_value());
  }
  void act(KadRefuse& a) { KAD_CHECK(inbound_.erase(a.id) == 1); }
  void act(KadStore& a) { KAD_CHECK(storing_.emplace(a.id, std::move(a)).second); }
  void act(KadDial& a) { dials_.insert(a.seed); }
  void act(KadProvider& a) { KAD_CHECK(running_.contains(a.op)); }
  void act(KadStep& a) { KAD_CHECK(running_.contains(a.op)); }
  void act(KadDone& a) { KAD_CHECK(running_.erase(a.op) == 1); }
  void act(KadHold& a) {
    KAD_CHECK(a.hold ? held_.insert(a.peer).second : held_.erase(a.peer) == 1);
  }

  // Commands name their operation only when they return, so their actions are looked at after.
  void drain() {
    while (auto action = kad_.poll()) std::visit([&](auto& a) { act(a); }, *action);
    const KadStats stats = kad_.stats();
    KAD_CHECK(stats.requests_outstanding == asked_.size());
    KAD_CHECK(stats.inbound_waiting == inbound_.size());
    KAD_CHECK(stats.table_servers == held_.size());
    KAD_CHECK(stats.queries_running >= running_.size());
    for (const TableEntry& entry : kad_.table()) {
      KAD_CHECK(entry.connected == connected_.contains(entry.contact.peer));
      KAD_CHECK((entry.standing == Standing::server) == held_.contains(entry.contact.peer));
      for (const Dialable& addr : entry.contact.addrs) KAD_CHECK(addr.source() != Source::hint);
    }
  }

  void close() {
    pass(10min);
    KAD_CHECK(running_.empty());  // 15 s is the longest deadline
    kad_.close(turn());
    drain();
    KAD_CHECK(asked_.empty());
    while (!storing_.empty()) {
      const KadStore action = std::move(storing_.begin()->second);
      storing_.erase(storing_.begin());
      kad_.on_stored(turn(), action.id, store_.run(turn().now.wall, {action.request}).front());
      drain();
    }
    KAD_CHECK(inbound_.empty());
    KAD_CHECK(kad_.quiescent());
  }

  Input& in_;
  Rng rng_{1};
  Time now_{};
  MemoryStore store_{StoreLimits{}};
  std::set<PeerId> connected_, held_;
  std::map<KadOp, Time> running_;
  std::map<KadRequestId, KadRequest> asked_;
  std::map<KadStoreId, KadStore> storing_;
  std::set<KadInboundId> inbound_;
  std::multiset<Multiaddr> dials_;
  Kad kad_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, std::min<std::size_t>(size, 4096));
  World(in).run();
  return 0;
}
