// A session against a hostile peer. A naive model of what that peer may send says of every frame
// whether the session must end; bounds hold after every step, and closing leaves nothing.
//
// Covers: src/transport/yamux_frame.cc src/transport/yamux.cc src/transport/yamux_input.cc
// Covers: src/transport/yamux_output.cc src/transport/yamux_stream.cc
// Covers: src/transport/receive_window.cc src/transport/yamux_keepalive.cc
#include <map>
#include <optional>

#include "base/check.h"
#include "fuzz_input.h"
#include "transport/yamux.h"

namespace kadmesh {
namespace {

using namespace yamux_flag;

constexpr std::uint64_t kMost32 = 0xffffffff;
constexpr std::size_t kGrowth = std::size_t{512} * 1024;

// Small bounds, so that a short script reaches them.
YamuxConfig small() {
  YamuxConfig config;
  config.max_streams = 6;
  config.max_outbound = 4;
  config.max_unaccepted = 3;
  config.max_unacked = 3;
  config.window_growth = kGrowth;
  config.receive_memory = std::size_t{600} * 1024;
  config.send_queue = std::size_t{40} * 1024;
  config.send_memory = std::size_t{60} * 1024;
  return config;
}

// What the peer (the initiator) knows by what it sent, what it heard, and what the owner was told.
class Model {
 public:
  struct Stream {
    std::uint64_t left = kYamuxInitialWindow;    // the peer may send
    std::uint64_t credit = kYamuxInitialWindow;  // we may send
    bool dead = false, peer_fin = false, our_fin = false, finished = false, released = false;
    bool deaf() const { return dead || (peer_fin && our_fin); }
  };

  bool breach(const YamuxHeader& h) const {
    if ((h.stream == 0) != (h.type == YamuxType::ping || h.type == YamuxType::go_away)) return true;
    if (h.type == YamuxType::go_away) return false;
    if (h.type == YamuxType::ping) return ping_breach(h);
    const bool data = h.type == YamuxType::data;
    if (data && h.length > small().max_window) return true;
    if (h.has(kRst)) return false;
    const auto stream = streams.find(h.stream);
    if (h.has(kSyn)) return syn_breach(h, stream == streams.end() ? nullptr : &stream->second);
    if (stream == streams.end() || stream->second.deaf()) return false;
    if (data) return !stream->second.released && h.length > stream->second.left;
    return stream->second.credit + h.length > kMost32;
  }

  void sent(const YamuxHeader& h) {
    if (h.type == YamuxType::ping && h.has(kAck)) ping.reset();
    if (h.stream == 0) return;
    if (h.has(kSyn) && !h.has(kRst)) {
      if (streams.contains(h.stream)) {
        ++refused[h.stream];
        return;
      }
      streams[h.stream] = {};
    }
    const auto found = streams.find(h.stream);
    if (found == streams.end() || found->second.deaf()) return;
    apply(h, found->second);
  }

  void heard(const YamuxHeader& h) {
    if (h.type == YamuxType::ping && h.has(kSyn)) ping = h.length;
    const auto found = streams.find(h.stream);
    if (found == streams.end()) return;
    Stream& s = found->second;
    if (h.has(kRst)) {
      if (refused[h.stream] > 0)
        --refused[h.stream];
      else
        s.dead = true;
      // Refused before its owner heard of it.
      if (s.dead && !told_of.contains(h.stream)) streams.erase(found);
      return;
    }
    if (h.type == YamuxType::data) {
      KAD_CHECK(!s.our_fin && h.length <= s.credit);
      s.credit -= h.length;
    } else {
      s.left += h.length;
      KAD_CHECK(s.left <= kYamuxInitialWindow + kGrowth);
    }
    if (h.has(kFin)) s.our_fin = true;
    forget_if_over(h.stream);
  }

  void told(const YamuxSession::Event& event) {
    if (const auto* opened = std::get_if<YamuxSession::Opened>(&event)) told_of[opened->id] = true;
    if (const auto* reset = std::get_if<YamuxSession::Reset>(&event)) {
      KAD_CHECK(streams.contains(reset->id) && streams.at(reset->id).dead);
      forget(reset->id);
    }
    if (const auto* finished = std::get_if<YamuxSession::Finished>(&event)) {
      KAD_CHECK(streams.at(finished->id).peer_fin);
      streams.at(finished->id).finished = true;
      forget_if_over(finished->id);
    }
  }

  void opened_by_us(StreamId id) {
    KAD_CHECK(!streams.contains(id));
    streams[id] = {};
    told_of[id] = true;
  }
  void forget(StreamId id) {
    streams.erase(id);
    told_of.erase(id);
  }
  void release(StreamId id, bool finished_by_us) {
    const auto found = streams.find(id);
    if (found == streams.end() || found->second.released) return;
    Stream& s = found->second;
    if (s.dead || !finished_by_us || s.our_fin) return forget(id);
    s.released = true;
  }

  std::map<StreamId, Stream> streams;
  std::map<StreamId, bool> told_of;
  std::map<StreamId, int> refused;
  std::optional<std::uint32_t> ping;

 private:
  bool ping_breach(const YamuxHeader& h) const {
    if (h.has(kSyn) == h.has(kAck)) return true;
    return h.has(kAck) && ping != h.length;
  }
  static bool syn_breach(const YamuxHeader& h, const Stream* old) {
    if (h.stream % 2 == 0) return true;
    if (h.type == YamuxType::data && h.length > kYamuxInitialWindow) return true;
    if (h.type != YamuxType::data && h.length + std::uint64_t{kYamuxInitialWindow} > kMost32)
      return true;
    return old != nullptr && !old->deaf();
  }
  void apply(const YamuxHeader& h, Stream& s) {
    if (h.has(kRst)) {
      s.dead = true;
      if (s.released) forget(h.stream);
      return;
    }
    if (h.type == YamuxType::data) s.left -= s.released ? 0 : h.length;
    if (h.type == YamuxType::window_update) s.credit += h.length;
    if (h.has(kFin)) s.peer_fin = true;
  }
  void forget_if_over(StreamId id) {
    const Stream& s = streams.at(id);
    if ((s.our_fin && s.finished) || (s.our_fin && s.released)) forget(id);
  }
};

class Trial {
 public:
  explicit Trial(FuzzInput input)
      : input_(input), session_(Role::responder, small(), now_), attentive_(input_.u8() % 2 == 0) {}

  void run() {
    settle();
    while (!input_.empty()) {
      step();
      settle();
      check_bounds();
    }
    session_.go_away(0);
    Bytes last;
    session_.take_output(last, 1 << 20);
    while (session_.poll()) continue;
    KAD_CHECK(session_.closed() && !session_.wants_output());
    KAD_CHECK(session_.streams() == 0);
    KAD_CHECK(session_.bytes_received() == 0 && session_.bytes_queued() == 0);
  }

 private:
  void step() {
    switch (input_.below(13)) {
      case 0:
        return send({YamuxType::window_update, kSyn, input_.below(8), 0});
      case 1:
      case 2:
        return send_on_stream(YamuxType::data);
      case 3:
        return send_on_stream(YamuxType::window_update);
      case 4:
        return send_ping();
      case 5:
        return send_raw();
      case 6:
        return write();
      case 7:
        return consume();
      case 8:
        return finish();
      case 9:
        return reset();
      case 10:
        return release();
      case 11:
        return open();
      default:
        return wait();
    }
  }

  // Statement by statement: compilers differ in the order in which they evaluate arguments.
  void send_on_stream(YamuxType type) {
    YamuxHeader header{type, 0, 0, 0};
    header.flags = input_.u8() & 15;
    header.stream = input_.below(8);
    header.length = length();
    send(header);
  }
  void send_ping() {
    YamuxHeader header{YamuxType::ping, 0, 0, 0};
    header.flags = input_.u8() & 3;
    header.length = model_.ping.value_or(7);
    send(header);
  }

  std::uint32_t length() {
    switch (input_.below(8)) {
      case 0:
        return 0;
      case 1:
        return input_.u8();
      case 2:
        return input_.u16();
      case 3:
        return kYamuxInitialWindow + input_.below(2);
      case 4:
        return kYamuxInitialWindow / 2;
      case 5:
        return small().max_window + input_.below(2);
      case 6:
        return static_cast<std::uint32_t>(kMost32) - kYamuxInitialWindow + input_.below(2);
      default:
        return input_.u32();
    }
  }

  // A whole frame in two pieces, unless its header must be refused.
  void send(const YamuxHeader& header) {
    if (session_.closed()) return;
    const bool breach = model_.breach(header);
    Bytes frame;
    append(frame, encode(header));
    const bool has_body = header.type == YamuxType::data && !breach && !model_lost_;
    if (has_body) frame.resize(frame.size() + header.length);
    if (!breach) model_.sent(header);
    const std::size_t first = std::min<std::size_t>(input_.u8(), frame.size());
    auto result = session_.on_bytes(now_, ByteView(frame).first(first));
    if (result.has_value()) result = session_.on_bytes(now_, ByteView(frame).subspan(first));
    if (!model_lost_) KAD_CHECK(result.has_value() == !breach);
  }

  // After this the model knows nothing any more; the bounds still hold.
  void send_raw() {
    model_lost_ = true;
    [[maybe_unused]] const auto result = session_.on_bytes(now_, input_.bytes(input_.u8() % 64));
  }

  void write() {
    const StreamId id = input_.below(8);
    const std::size_t budget = session_.budget(id);
    const Bytes bytes(input_.u16());
    KAD_CHECK(session_.write(id, bytes) == std::min(budget, bytes.size()));
  }
  void consume() {
    const StreamId id = input_.below(8);
    const std::size_t waiting = session_.readable(id).size();
    session_.consumed(now_, id, input_.below(2) == 0 ? waiting : waiting * input_.u8() / 255);
  }
  void finish() {
    const StreamId id = input_.below(8);
    session_.finish(id);
    KAD_CHECK(session_.write(id, Bytes(1)) == 0);
    finished_[id] = true;
  }
  void reset() {
    const StreamId id = input_.below(8);
    session_.reset(id, input_.u8());
    const auto found = model_.streams.find(id);
    if (found != model_.streams.end() && !found->second.released) model_.forget(id);
  }
  void release() {
    const StreamId id = input_.below(8);
    session_.release(id);
    model_.release(id, finished_[id]);
  }
  void open() {
    const auto id = session_.open();
    if (!id.has_value()) return;
    finished_[*id] = false;
    model_.opened_by_us(*id);
  }
  void wait() {
    now_ += std::chrono::milliseconds(1 << input_.below(16));
    session_.on_timer(now_);
    KAD_CHECK(session_.next_timer() > now_);
  }

  // An attentive owner takes output and events after every step, and keeps the model exact.
  void settle() {
    if (!attentive_ || model_lost_) {
      model_lost_ = true;
      if (input_.u8() % 2 == 0) return;
    }
    for (bool more = true; more;) {
      more = take();
      while (const auto event = session_.poll()) {
        more = true;
        if (std::holds_alternative<YamuxSession::Opened>(*event))
          finished_[std::get<YamuxSession::Opened>(*event).id] = false;
        if (!model_lost_ && !session_.closed()) model_.told(*event);
      }
    }
  }

  bool take() {
    constexpr std::size_t kLimits[] = {65'519, 5000, 100, 24};
    const std::size_t limit = kLimits[input_.below(4)];
    Bytes out;
    const std::size_t taken = session_.take_output(out, limit);
    KAD_CHECK(taken == out.size() && taken <= limit);
    for (ByteView rest(out); !rest.empty();) {
      KAD_CHECK(rest.size() >= kYamuxHeaderSize);
      const auto header = decode_yamux_header(rest.first<kYamuxHeaderSize>());
      KAD_CHECK(header.has_value());
      rest = rest.subspan(kYamuxHeaderSize);
      if (header->type == YamuxType::data) rest = rest.subspan(header->length);
      if (!model_lost_ && !session_.closed()) model_.heard(*header);
    }
    KAD_CHECK((taken > 0) || !session_.wants_output());
    return taken > 0;
  }

  void check_bounds() {
    const YamuxConfig config = small();
    std::size_t received = 0;
    for (StreamId id = 0; id < 8; ++id) {
      const std::size_t waiting = session_.readable(id).size();
      KAD_CHECK(waiting <= kYamuxInitialWindow + kGrowth);
      received += waiting;
    }
    KAD_CHECK(received <= session_.bytes_received());
    KAD_CHECK(session_.bytes_received() <= config.receive_memory);
    KAD_CHECK(session_.bytes_queued() <= config.send_memory);
    KAD_CHECK(session_.streams() <= config.max_streams);
    if (!model_lost_ && !session_.closed()) KAD_CHECK(session_.streams() == model_.streams.size());
    KAD_CHECK(session_.next_timer() >= now_);
  }

  FuzzInput input_;
  Time now_{1h};
  YamuxSession session_;
  Model model_;
  std::map<StreamId, bool> finished_;  // by us
  const bool attentive_;
  bool model_lost_ = false;
};

}  // namespace
}  // namespace kadmesh

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kadmesh::Trial(kadmesh::FuzzInput(data, size)).run();
  return 0;
}
