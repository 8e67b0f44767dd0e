// A connection in either role against a peer that the fuzzer plays: bytes that nobody made, in any
// phase, and after a real handshake tokens, frames and bytes under the session's own keys. Between
// them the owner opens, writes, reads, ends, and lets time pass. A model of what the owner owns
// says which events may come.
// Covers: src/transport/connection.cc src/transport/streams.cc
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "base/check.h"
#include "transport/connection.h"

using namespace kadmesh;

namespace {

const std::vector<std::string> kOne{"/echo/1"}, kTwo{"/echo/2", "/echo/1"}, kQuiet{"/quiet/1"};

std::vector<std::string> offer(bool early) {
  if (!early) return {};
  return {std::string(kYamuxProtocol)};
}

struct Parties {
  Rng rng{1};
  KeyPair us = KeyPair::make(rng), them = KeyPair::make(rng);
  std::array<std::shared_ptr<const NoiseStatic>, 2> ours{made(us, false), made(us, true)};
  std::array<std::shared_ptr<const NoiseStatic>, 2> theirs{made(them, false), made(them, true)};
  std::shared_ptr<const Protocols> protocols =
      std::make_shared<Protocols>(Protocols{{"/echo/1", "/quiet/1"}, {"/quiet/1"}});

 private:
  std::shared_ptr<const NoiseStatic> made(const KeyPair& key, bool early) {
    return std::make_shared<NoiseStatic>(make_noise_static(rng, key, offer(early)));
  }
};

const Parties& parties() {
  static const Parties made;
  return made;
}

// Takes the script apart; zeros once it is used up.
class Script {
 public:
  explicit Script(ByteView bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() { return rest_.empty() ? std::uint8_t{0} : take(1)[0]; }
  std::uint32_t number() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  ByteView take(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView rest_;
};

// The other end as far as a session, then a pair of keys.
class Peer {
 public:
  Peer(Role role, bool early)
      : role_(role), noise_(role, *parties().theirs[early], rng_, std::nullopt) {
    if (role == Role::initiator) {
      MultistreamDialer dialer({std::string(kNoiseProtocol)});
      say(dialer.take_output());
      say(noise_.take_output());
    }
  }
  void hear(ByteView bytes) {
    append(heard_, bytes);
    if (session_) return heard_.clear();
    // Header, and proposal or echo, are the same bytes in either direction.
    if (skip_ > 0) {
      const std::size_t count = std::min(skip_, heard_.size());
      heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(count));
      skip_ -= count;
      if (skip_ == 0 && role_ == Role::responder) answer_selection();
    }
    if (skip_ > 0) return;
    if (!noise_.on_bytes(heard_)) return;
    heard_.clear();
    say(noise_.take_output());
    if (noise_.done()) session_.emplace(noise_.take());
  }
  Bytes speak() { return std::exchange(said_, {}); }
  bool secured() const { return session_.has_value(); }
  Bytes seal(ByteView plain) {
    Bytes out;
    KAD_CHECK(session_->send.seal(plain, out).has_value());
    return out;
  }

 private:
  void say(const Bytes& bytes) { append(said_, bytes); }
  void answer_selection() {
    MultistreamDialer same({std::string(kNoiseProtocol)});
    say(same.take_output());
  }

  static constexpr std::size_t kSelection = 20 + 8;
  Rng rng_{3};
  Role role_;
  NoiseHandshake noise_;
  std::optional<NoiseSession> session_;
  std::size_t skip_ = kSelection;
  Bytes heard_, said_;
};

class Run {
 public:
  explicit Run(Script script)
      : script_(script),
        flags_(script_.byte()),
        peer_(has(1) ? Role::responder : Role::initiator, has(2)) {
    ConnectionSetup setup{.id = ConnId{1},
                          .role = has(1) ? Role::initiator : Role::responder,
                          .expected = std::nullopt,
                          .noise = parties().ours[has(4)],
                          .protocols = parties().protocols,
                          .early_muxer = has(4),
                          .open_deadline = now_ + 10s,
                          .stream_timeout = 10s,
                          .keylog = has(8)};
    if (has(16)) setup.expected = (has(32) ? parties().us : parties().them).peer_id();
    Rng luck(4);
    connection_ = std::make_unique<Connection>(std::move(setup), luck, now_);
  }

  void play() {
    for (unsigned i = 0; i < (flags_ >> 6); ++i) exchange();  // how far honestly
    for (int steps = 0; !script_.empty() && steps < 4000; ++steps) step();
    if (!dead()) connection_->close({Errc::closed, "the input is over"});
    poll();
    take();
    check_quiescent();
  }

 private:
  bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }
  bool dead() const {
    const auto phase = connection_->phase();
    return phase == Connection::Phase::closing || phase == Connection::Phase::gone;
  }
  bool up() const { return connection_->peer() != nullptr; }

  void step() {
    switch (script_.byte() % 16) {
      case 0:
        return hear(script_.take(script_.byte()));
      case 1:
        return exchange();
      case 2:
        return sealed(script_.take(script_.byte()));
      case 3:
        return sealed(token());
      case 4:
      case 5:
      case 6:
        return sealed(stream_frame());
      case 7:
        return sealed(frame());
      case 8:
        return open();
      case 9:
        return write();
      case 10:
        return read();
      case 11:
        return finish();
      case 12:
        return end();
      case 13:
        return poll();
      case 14:
        return written();
      default:
        return wait();
    }
  }

  // --- the peer
  void hear(ByteView bytes) { connection_->on_bytes(now_, bytes); }
  void exchange() {
    peer_.hear(take());
    hear(peer_.speak());
    peer_.hear(take());
  }
  void sealed(const Bytes& plain) { sealed(ByteView(plain)); }
  void sealed(ByteView plain) {
    if (peer_.secured()) hear(peer_.seal(plain));
  }
  Bytes token() {
    static constexpr std::array<std::string_view, 8> kTokens{
        "\x13/multistream/1.0.0\n", "\x0d/yamux/1.0.0\n", "\x08/echo/1\n", "\x08/echo/2\n",
        "\x09/quiet/1\n",           "\x03na\n",           "\x03ls\n",      "\x01\n"};
    return to_bytes(as_bytes(kTokens[script_.byte() % kTokens.size()]));
  }
  Bytes stream_frame() {
    const auto what = script_.byte();
    const StreamId id = script_.byte() % 32;
    Bytes body = what % 4 == 0 ? token() : to_bytes(script_.take(what / 8));
    Bytes out;
    append(out, encode({YamuxType::data, std::uint16_t(what % 8), id,
                        static_cast<std::uint32_t>(body.size())}));
    append(out, body);
    return out;
  }
  Bytes frame() {
    const YamuxHeader header{YamuxType(script_.byte() % 4), script_.byte(), script_.byte(),
                             script_.number()};
    return to_bytes(encode(header));
  }

  // --- the owner
  StreamId some_stream() {
    const std::size_t index = script_.byte();
    if (owned_.empty() || index > 250) return static_cast<StreamId>(index);
    return std::next(owned_.begin(), static_cast<std::ptrdiff_t>(index % owned_.size()))->first;
  }
  void open() {
    if (!up()) return;
    const auto which = script_.byte();
    const auto& protocols = which % 3 == 0 ? kTwo : which % 3 == 1 ? kOne : kQuiet;
    const auto id = connection_->streams().open(protocols, now_ + 5s);
    if (!id) return;
    KAD_CHECK(!dead());
    KAD_CHECK(owned_.try_emplace(*id).second);
  }
  void write() {
    if (!up()) return;
    const StreamId id = some_stream();
    const std::size_t size = std::size_t{script_.byte()} << (script_.byte() % 12);
    const std::size_t count = connection_->streams().write(id, Bytes(size));
    KAD_CHECK(count <= size);
    if (size > 0 && count > 0) KAD_CHECK(owned_.contains(id));
  }
  void read() {
    if (!up()) return;
    const StreamId id = some_stream();
    const ByteView waiting = connection_->streams().readable(id);
    if (!waiting.empty()) KAD_CHECK(owned_.contains(id) && owned_[id].opened);
    connection_->streams().consumed(now_, id, waiting.size() * (script_.byte() % 3) / 2);
  }
  void finish() {
    if (!up()) return;
    const StreamId id = some_stream();
    connection_->streams().finish(id);
    const auto at = owned_.find(id);
    if (at == owned_.end()) return;
    at->second.finishing = true;
  }
  void end() {
    if (!up()) return;
    const StreamId id = some_stream();
    if (script_.byte() % 2 == 0) {
      connection_->streams().reset(id, 1);
    } else {
      connection_->streams().release(id);
    }
    owned_.erase(id);
  }
  void poll_some() {
    for (unsigned count = script_.byte() % 4; count > 0; --count) poll_one();
  }
  void poll() {
    while (poll_one()) {
    }
  }
  bool poll_one() {
    const auto event = connection_->poll(now_);
    if (!event) return false;
    KAD_CHECK(up());
    std::visit([this](const auto& e) { on(e); }, *event);
    return true;
  }
  void on(const StreamOpened& event) {
    if (event.opened_by_us) {
      KAD_CHECK(owned_.contains(event.key.stream));
    } else {
      KAD_CHECK(owned_.try_emplace(event.key.stream).second);
    }
    KAD_CHECK(!std::exchange(owned_[event.key.stream].opened, true));
  }
  void on(const StreamReadable& event) {
    KAD_CHECK(owned_.at(event.key.stream).opened);
    KAD_CHECK(!connection_->streams().readable(event.key.stream).empty());
  }
  void on(const StreamWritable& event) { KAD_CHECK(!owned_.at(event.key.stream).finishing); }
  void on(const StreamFinished& event) {
    KAD_CHECK(owned_.at(event.key.stream).opened);
    KAD_CHECK(!std::exchange(owned_.at(event.key.stream).finished, true));
  }
  void on(const OpenFailed& event) {
    KAD_CHECK(!owned_.at(event.key.stream).opened);
    owned_.erase(event.key.stream);
  }
  void on(const StreamReset& event) {
    KAD_CHECK(owned_.at(event.key.stream).opened);
    owned_.erase(event.key.stream);
  }

  // --- the pipe and the clock
  Bytes take() {
    Bytes bytes = connection_->take_output(now_);
    in_flight_ += bytes.size();
    KAD_CHECK(in_flight_ <= kWriteBudget);
    if (has(8)) written(in_flight_);
    return bytes;
  }
  void written() { written(script_.number() % (kWriteBudget * 2)); }
  void written(std::size_t count) {
    connection_->on_written(now_, count);
    in_flight_ -= std::min(count, in_flight_);
  }
  void wait() {
    const auto choice = script_.byte();
    if (choice == 255) return connection_->on_pipe_ended({Errc::reset, "cut"});
    if (choice == 254) return connection_->close({Errc::closed, "enough"});
    const Time next = connection_->next_timer();
    now_ = choice % 2 == 0 && next != kNever ? std::max(now_, next) : now_ + Duration(choice * 1ms);
    connection_->on_timer(now_);
    KAD_CHECK(connection_->next_timer() > now_);
  }

  void check_quiescent() {
    KAD_CHECK(dead());
    KAD_CHECK(connection_->next_timer() == kNever);
    KAD_CHECK(connection_->buffered_bytes() == 0);
    KAD_CHECK(connection_->take_output(now_).empty());
    for (const auto& [id, stream] : owned_) KAD_CHECK(stream.finishing && stream.finished);
    if (up()) KAD_CHECK(connection_->streams().size() == 0);
  }

  struct Owned {
    bool opened = false, finishing = false, finished = false;
  };

  Script script_;
  const std::uint8_t flags_;
  Time now_{1h};
  Peer peer_;
  std::unique_ptr<Connection> connection_;
  std::map<StreamId, Owned> owned_;  // forgotten by the connection: those that both have finished
  std::size_t in_flight_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(Script({data, size})).play();
  return 0;
}
