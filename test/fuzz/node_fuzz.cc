// A whole node, and a peer that has proven its key and is the fuzzer's from there on: it opens
// streams, answers on the node's or does not, and says anything on either. Between them the node's
// user asks for things, disks fail, and time passes. Whatever comes, every operation ends once and
// by its deadline, and nothing is left when the node is shut down.
// Covers: src/node/node.cc src/node/hook.cc src/node/core_actions.cc src/node/operations.cc
// Covers: src/node/identify.cc src/node/gossip_streams.cc src/node/kad_streams.cc
// Covers: src/transport/ping.cc src/transport/request.cc src/transport/swarm.cc
#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <set>

#include "base/check.h"
#include "base/framing.h"
#include "fuzz_input.h"
#include "node/node.h"
#include "store/memory_store.h"

using namespace kadmesh;

namespace {

const std::vector<std::string> kNames{"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0",
                                      "/kad",           "/meshsub/1.1.0",      "/user"};
const Topic kTopic = "t";
constexpr Duration kLimit = 10s;  // of an operation
constexpr std::size_t kMostSteps = 120;

struct Parties {
  Rng rng{1};
  KeyPair us = KeyPair::make(rng), them = KeyPair::make(rng);
};
const Parties& parties() {
  static const Parties made;
  return made;
}

NodeConfig settings() {
  NodeConfig config;
  config.kad.protocol = "/kad";
  config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  config.gossip.policy = SignaturePolicy::strict_no_sign;  // no mutation finds a signature
  config.gossip.message_id = sha256_message_id;
  config.gossip.manual_validation = true;
  return config;
}

Endpoint endpoint(std::uint8_t host) {
  Endpoint at;
  at.host = {10, 0, 0, host};
  at.port = 4001;
  return at;
}
const Endpoint kNode = endpoint(1), kPeer = endpoint(2);

// One connection's bytes in both directions, held back from who does not want them.
struct Wire {
  struct End {
    ConnId id;
    bool reads = true;
    Bytes waiting{};
  };
  End node, peer;
};

class Run {
 public:
  explicit Run(FuzzInput script)
      : script_(script),
        flags_(script_.u8()),
        habits_(script_.u8()),
        node_(parties().us, settings(), turn()),
        peer_(parties().them, {}, turn()) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (has(static_cast<std::uint8_t>(1U << i))) peer_.serve(kNames[i]);
    node_.serve(turn(), "/user");
    (void)node_.subscribe(turn(), kTopic);
    node_.listen(turn(), kNode);
    if (has(64))
      dial_us();
    else
      connect();
    settle();
  }

  void play() {
    for (std::size_t steps = 0; !script_.empty() && steps < kMostSteps; ++steps) {
      step();
      settle();
      check();
    }
    node_.shutdown(turn());
    settle();
    KAD_CHECK(ends_.empty());
    KAD_CHECK(node_.leftovers().empty());
    KAD_CHECK(node_.next_timer() == kNever);
  }

 private:
  using Verb = void (Run::*)();
  void step() {
    static constexpr std::array kVerbs{
        &Run::open,        &Run::say_bytes,  &Run::say_frame,   &Run::say_frame, &Run::say_frame,
        &Run::finish,      &Run::reset,      &Run::read,        &Run::dial_us,   &Run::hang_up,
        &Run::get,         &Run::put,        &Run::provide,     &Run::providers, &Run::find,
        &Run::ping,        &Run::connect,    &Run::open_stream, &Run::cancel,    &Run::publish,
        &Run::resubscribe, &Run::disconnect, &Run::serve_anew,  &Run::use,       &Run::wait,
        &Run::wait};
    const Verb verb = kVerbs[script_.u8() % kVerbs.size()];
    (this->*verb)();
  }
  void check() const {
    KAD_CHECK(node_.check_invariants().empty());
    for (const auto& [op, deadline] : ends_) KAD_CHECK(deadline > now_);
  }

  // --- the peer
  void open() {
    const std::vector<std::string> name{kNames[script_.u8() % kNames.size()]};
    if (const auto key = peer_.open_stream(turn(), parties().us.peer_id(), name, after(now_, 5s)))
      streams_.push_back(*key);
  }
  // Of the latest eight, so that small numbers name what is there.
  std::optional<StreamKey> some_stream() {
    const std::size_t back = script_.below(8);
    if (back >= streams_.size()) return std::nullopt;
    return streams_[streams_.size() - 1 - back];
  }
  void say_bytes() {
    const auto key = some_stream();
    const ByteView bytes = script_.bytes(script_.u8());
    if (key) peer_.write(turn(), *key, bytes);
  }
  void say_frame() {
    const auto key = some_stream();
    const Bytes bytes = frame(script_.bytes(script_.u8()));
    if (key) peer_.write(turn(), *key, bytes);
  }
  void finish() {
    if (const auto key = some_stream()) peer_.finish(turn(), *key);
  }
  void reset() {
    const auto key = some_stream();
    if (!key) return;
    peer_.reset(turn(), *key, 0);
    std::erase(streams_, *key);
  }
  void read() {
    if (const auto key = some_stream()) peer_.consumed(turn(), *key, peer_.readable(*key).size());
  }
  void dial_us() {
    const std::vector addrs{Multiaddr::tcp(kNode)};
    peer_.dial(turn(), parties().us.peer_id(), addrs, after(now_, 5s));
  }
  void hang_up() { peer_.close_all(turn(), {Errc::closed, "the peer leaves"}); }

  // --- the user
  void began(OpId op) { ends_.emplace(op, deadline()); }
  Time deadline() const { return after(now_, kLimit); }
  Bytes record_key() {
    return to_bytes(as_bytes("/v/" + std::string(1, 'a' + char(script_.below(4)))));
  }
  void get() { began(node_.get(turn(), record_key(), deadline())); }
  void put() {
    const Bytes key = record_key();
    began(node_.put(turn(), key, to_bytes(script_.bytes(script_.u8())), deadline()));
  }
  void provide() { began(node_.provide(turn(), to_bytes(script_.bytes(34)), deadline())); }
  void providers() {
    began(node_.find_providers(turn(), to_bytes(script_.bytes(34)), 3, deadline()));
  }
  void find() {
    if (script_.below(2) == 0)
      return began(node_.find_peer(turn(), parties().them.peer_id(), deadline()));
    began(node_.find_closest(turn(), record_key(), deadline(), {.trace = true}));
  }
  void ping() { began(node_.ping(turn(), parties().them.peer_id(), deadline())); }
  void connect() { began(node_.connect(turn(), Multiaddr::tcp(kPeer), deadline())); }
  void open_stream() {
    began(node_.open_stream(turn(), parties().them.peer_id(), {"/user"}, deadline(),
                            to_bytes(script_.bytes(script_.u8()))));
  }
  void cancel() {
    if (!ends_.empty()) node_.cancel(turn(), std::prev(ends_.end())->first);
  }
  void publish() { (void)node_.publish(turn(), kTopic, to_bytes(script_.bytes(script_.u8()))); }
  void resubscribe() {
    if (script_.below(2) == 0) return node_.unsubscribe(turn(), kTopic);
    (void)node_.subscribe(turn(), kTopic);
  }
  void disconnect() { node_.disconnect(turn(), parties().them.peer_id()); }
  void serve_anew() {
    node_.stop_serving(turn(), "/user");
    node_.serve(turn(), "/user");
  }
  void use() {
    if (used_.empty()) return;
    const StreamKey key = *used_.begin();
    node_.write(turn(), key, node_.readable(key));
    node_.consumed(turn(), key, node_.readable(key).size());
    if (script_.below(2) == 0) return node_.finish(turn(), key);
    node_.release(turn(), key);
    used_.erase(key);
  }

  // --- time, one timer after another
  void wait() {
    const Duration most = script_.u8() * 100ms;
    const Time end = after(now_, most);
    for (Time next = timer(); next <= end; next = timer()) {
      now_ = std::max(now_, next);
      node_.on_timer(turn());
      peer_.on_timer(turn());
      settle();
      KAD_CHECK(timer() > now_);
    }
    now_ = end;
  }
  Time timer() const { return std::min(node_.next_timer(), peer_.next_timer()); }

  // --- what they want done
  void settle() {
    bool busy = true;
    while (busy) {
      busy = false;
      while (auto action = node_.poll()) on_node(*action), busy = true;
      while (auto action = peer_.poll_action()) on_peer(*action), busy = true;
      while (auto event = peer_.poll_event()) heard(*event), busy = true;
    }
  }
  void on_node(NodeAction& action) {
    std::visit([this](auto& a) { node_wants(a); }, action);
  }
  void on_peer(SwarmAction& action) {
    std::visit([this](auto& a) { peer_wants(a); }, action);
  }

  void node_wants(const DialPipe& dial) {
    if (dial.to != kPeer || has(128))
      return node_.on_dial_failed(turn(), dial.id, {Errc::refused, "nobody listens there"});
    const ConnId theirs = peer_.on_accepted(turn(), kPeer, kNode);
    wires_.push_back({{dial.id}, {theirs}});
    node_.on_dialed(turn(), dial.id, kNode);
  }
  void peer_wants(const DialPipe& dial) {
    const ConnId ours = node_.on_accepted(turn(), kNode, kPeer);
    wires_.push_back({{ours}, {dial.id}});
    peer_.on_dialed(turn(), dial.id, kPeer);
  }
  void node_wants(const WritePipe& a) { carry<&Wire::node, &Wire::peer>(node_, peer_, a); }
  void peer_wants(const WritePipe& a) { carry<&Wire::peer, &Wire::node>(peer_, node_, a); }
  void node_wants(const ReadPipe& a) { carry<&Wire::node, &Wire::peer>(node_, peer_, a); }
  void peer_wants(const ReadPipe& a) { carry<&Wire::peer, &Wire::node>(peer_, node_, a); }
  void node_wants(const ClosePipe& a) { carry<&Wire::node, &Wire::peer>(node_, peer_, a); }
  void peer_wants(const ClosePipe& a) { carry<&Wire::peer, &Wire::node>(peer_, node_, a); }

  // What one side of a wire wants done to it.
  using Side = Wire::End Wire::*;
  template <Side Ours, Side Theirs, class We, class They>
  void carry(We& we, They& they, const WritePipe& write) {
    const auto at = wire<Ours>(write.id);
    if (at == wires_.end()) return;
    we.on_written(turn(), write.id, write.bytes.size());
    append(((*at).*Theirs).waiting, write.bytes);
    deliver(they, (*at).*Theirs);
  }
  template <Side Ours, Side Theirs, class We, class They>
  void carry(We& we, They&, const ReadPipe& read) {
    const auto at = wire<Ours>(read.id);
    if (at == wires_.end()) return;
    ((*at).*Ours).reads = read.wanted;
    deliver(we, (*at).*Ours);
  }
  template <Side Ours, Side Theirs, class We, class They>
  void carry(We&, They& they, const ClosePipe& close) {
    const auto at = wire<Ours>(close.id);
    if (at == wires_.end()) return;
    const ConnId other = ((*at).*Theirs).id;
    wires_.erase(at);
    they.on_closed(turn(), other, {Errc::closed, "the other side closed"});
  }
  template <Side Of>
  std::list<Wire>::iterator wire(ConnId id) {
    return std::ranges::find_if(wires_, [id](const Wire& w) { return (w.*Of).id == id; });
  }
  template <class To>
  void deliver(To& to, Wire::End& end) {
    if (end.reads && !end.waiting.empty())
      to.on_bytes(turn(), end.id, std::exchange(end.waiting, {}));
  }

  void node_wants(const KeyLogLine&) {}
  void peer_wants(const KeyLogLine&) {}
  void node_wants(const ListenPipe& listen) {
    node_.on_listening(turn(), listen.id, {Multiaddr::tcp(listen.at)});
  }
  void node_wants(const StopListening&) {}
  void node_wants(StoreOp& op) {
    const bool fails = habits_ % 2 == 1;
    const StoreResult result = fails ? fail(Errc::io, "the disk is gone")
                                     : store_.run(turn().now.wall, {std::move(op.request)}).front();
    node_.on_stored(turn(), op.id, result);
  }
  void node_wants(const Report& report) {
    std::visit([this](const auto& r) { told(r); }, report);
  }

  // --- what they are told
  void told(const OpDone& done) {
    KAD_CHECK(ends_.erase(done.op) == 1);
    if (!done.result) return;
    if (const auto* stream = std::get_if<StreamReport>(&*done.result)) used_.insert(stream->key);
  }
  void told(const StreamIncoming& stream) { used_.insert(stream.key); }
  void told(const StreamEvent& event) {
    if (const auto* end = std::get_if<StreamReset>(&event)) used_.erase(end->key);
  }
  void told(const MessageToValidate& message) {
    node_.verdict(turn(), message.validation.id, Verdict(habits_ / 2 % 3));
  }
  void told(const auto&) {}

  void heard(const SwarmEvent& event) {
    if (const auto* opened = std::get_if<StreamOpened>(&event); opened && !opened->opened_by_us)
      streams_.push_back(opened->key);
    if (const auto* failed = std::get_if<OpenFailed>(&event)) std::erase(streams_, failed->key);
    if (const auto* reset = std::get_if<StreamReset>(&event)) std::erase(streams_, reset->key);
  }

  bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }
  Turn turn() { return {{now_, after(WallTime(1'700'000'000s), now_ - Time(1h))}, rng_}; }

  FuzzInput script_;
  const std::uint8_t flags_;   // which protocols the peer serves; who dials; whether we can at all
  const std::uint8_t habits_;  // of disk and user: what comes of saving, and of messages
  Time now_{1h};
  Rng rng_{2};
  Node node_;
  Swarm peer_;
  MemoryStore store_{StoreLimits{}};
  std::list<Wire> wires_;
  std::vector<StreamKey> streams_;  // open, as the peer sees it; the oldest first
  std::set<StreamKey> used_;        // of the node's user
  std::map<OpId, Time> ends_;       // operations that run, each with its deadline
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(FuzzInput(data, size)).play();
  return 0;
}
