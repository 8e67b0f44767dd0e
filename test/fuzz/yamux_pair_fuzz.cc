// Two sessions with a pipe between them that carries any number of bytes at any time. A naive
// observer of the pipe holds both to the credit that was granted and to the order of frames; every
// byte arrives as it was sent; once the pipe runs free, all that was written has been read.
//
// Covers: src/transport/yamux.cc src/transport/yamux_input.cc src/transport/yamux_output.cc
// Covers: src/transport/yamux_stream.cc src/transport/byte_queue.cc src/transport/receive_window.cc
#include <algorithm>
#include <map>

#include "base/check.h"
#include "fuzz_input.h"
#include "transport/stream_code.h"
#include "transport/yamux.h"

namespace kadmesh {
namespace {

using namespace yamux_flag;

YamuxConfig small() {
  YamuxConfig config;
  config.max_streams = 6;
  config.max_outbound = 4;
  config.max_unaccepted = 2;
  config.max_unacked = 3;
  config.window_growth = std::size_t{512} * 1024;
  config.receive_memory = std::size_t{900} * 1024;
  config.send_queue = std::size_t{100} * 1024;
  config.send_memory = std::size_t{150} * 1024;
  return config;
}

// The byte at `offset` of what `side` writes on a stream.
std::uint8_t content(int side, StreamId id, std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 131 ^ offset >> 8 ^ id * 17 ^
                                   static_cast<unsigned>(side));
}

// What one side says about one stream, as the pipe sees it.
struct Voice {
  std::uint64_t credit = kYamuxInitialWindow;  // granted to it, not used
  bool spoke = false, fin = false, rst = false;
};

class Observer {
 public:
  void hear(int side, const YamuxHeader& h) {
    if (h.type == YamuxType::ping && h.has(kSyn)) ++pings_[side];
    if (h.type == YamuxType::ping && h.has(kAck)) KAD_CHECK(pings_[1 - side]-- > 0);
    if (h.stream == 0) return;
    Voice& voice = voices_[{side, h.stream}];
    Voice& other = voices_[{1 - side, h.stream}];
    const bool own = (h.stream % 2 == 1) == (side == 0);
    KAD_CHECK(!voice.rst && (own || other.spoke));
    if (!voice.spoke && !h.has(kRst)) KAD_CHECK(h.has(own ? kSyn : kAck));
    if (h.type == YamuxType::data) {
      KAD_CHECK(!voice.fin && h.length <= voice.credit && h.length > 0);
      KAD_CHECK(h.length <= kYamuxLongestBody);
      voice.credit -= h.length;
    } else if (!h.has(kRst)) {
      KAD_CHECK(!h.has(kFin) || (!voice.fin && h.length == 0));
      other.credit += h.length;
    }
    voice.spoke = true;
    voice.fin |= h.has(kFin);
    voice.rst |= h.has(kRst);
  }

 private:
  std::map<std::pair<int, StreamId>, Voice> voices_;
  int pings_[2] = {};
};

struct Half {
  std::uint64_t written = 0;
  std::uint64_t read = 0;  // by the other side
  bool finished = false;   // by its owner
};

class Trial {
 public:
  explicit Trial(FuzzInput input) : input_(input) {}

  void run() {
    while (!input_.empty() && !closed()) {
      step();
      check_bounds();
    }
    if (!closed()) settle();
    for (auto& session : sessions_) close(session);
  }

 private:
  bool closed() const { return sessions_[0].closed() || sessions_[1].closed(); }

  void step() {
    side_ = static_cast<int>(input_.below(2));
    switch (input_.below(13)) {
      case 0:
        return open();
      case 1:
      case 2:
        return write();
      case 3:
        return poll_one();
      case 4:
        return consume();
      case 5:
        return finish();
      case 6:
        return reset();
      case 7:
        return release();
      case 8:
        return wait();
      case 9:
        return carry(input_.u8());
      case 10:
        return go_away();
      case 11:
        return pump();
      default:
        return carry(100'000);
    }
  }

  YamuxSession& session() { return sessions_[side_]; }
  StreamId some_id() { return 1 + input_.below(8); }
  Half& mine(StreamId id) { return halves_[{side_, id}]; }
  Half& theirs(StreamId id) { return halves_[{1 - side_, id}]; }

  void open() { last_id_ = std::max(last_id_, session().open().value_or(0)); }
  // More than the budget is not accepted, and asks for Writable.
  void write() {
    const StreamId id = some_id();
    const std::size_t wanted = std::size_t{4} * input_.u16();
    const std::size_t budget = session().budget(id);
    fill(id, std::min(wanted, budget));
    if (wanted > budget) KAD_CHECK(session().write(id, Bytes(wanted - budget)) == 0);
  }
  void fill(StreamId id, std::size_t count) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = content(side_, id, mine(id).written + i);
    KAD_CHECK(session().write(id, bytes) == count);
    mine(id).written += count;
  }
  // As much as goes through one stream while the other side reads all of it.
  void pump() {
    const StreamId id = some_id();
    for (std::uint32_t rounds = input_.below(8); rounds > 0 && !closed(); --rounds) {
      now_ += 1ms;
      fill(id, session().budget(id));
      carry(1 << 20);
      side_ = 1 - side_;
      read(id, session().readable(id).size());
      carry(1 << 20);
      side_ = 1 - side_;
    }
  }
  void poll_one() { handle(session().poll()); }
  void handle(const std::optional<YamuxSession::Event>& event) {
    if (!event) return;
    if (const auto* reset = std::get_if<YamuxSession::Reset>(&*event))
      KAD_CHECK(broken_[reset->id] || reset->code == stream_code::kResourceLimit || closed());
    if (const auto* finished = std::get_if<YamuxSession::Finished>(&*event)) {
      const Half& half = theirs(finished->id);
      KAD_CHECK(half.finished && half.read == half.written);
    }
  }
  void consume() {
    const StreamId id = some_id();
    read(id, session().readable(id).size() * input_.u8() / 255);
  }
  void read(StreamId id, std::size_t count) {
    const ByteView bytes = session().readable(id).first(count);
    for (std::size_t i = 0; i < count; ++i)
      KAD_CHECK(bytes[i] == content(1 - side_, id, theirs(id).read + i));
    session().consumed(now_, id, count);
    theirs(id).read += count;
  }
  void finish() {
    const StreamId id = some_id();
    session().finish(id);
    mine(id).finished = true;
  }
  void reset() {
    const StreamId id = some_id();
    session().reset(id, input_.u8());
    broken_[id] = true;
  }
  void release() {
    const StreamId id = some_id();
    session().release(id);
    broken_[id] = true;
  }
  void wait() {
    now_ += std::chrono::milliseconds(1 << input_.below(15));
    for (auto& each : sessions_) {
      each.on_timer(now_);
      KAD_CHECK(each.next_timer() > now_);
    }
  }
  // Rare, or no script would get far.
  void go_away() {
    if (input_.u8() == 255) session().go_away(input_.u8());
  }

  // From this side to the other: what the session has to say enters the pipe in whole frames, and
  // leaves it in any pieces.
  void carry(std::size_t count) {
    Bytes out;
    session().take_output(out, std::max<std::size_t>(count, 64));
    observe(out);
    Bytes& pipe = pipes_[side_];
    append(pipe, out);
    const std::size_t moved = std::min(count, pipe.size());
    const auto result = sessions_[1 - side_].on_bytes(now_, ByteView(pipe).first(moved));
    KAD_CHECK(result.has_value());
    pipe.erase(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(moved));
  }
  void observe(ByteView frames) {
    while (!frames.empty()) {
      const auto header = decode_yamux_header(frames.first<kYamuxHeaderSize>());
      KAD_CHECK(header.has_value());
      frames = frames.subspan(kYamuxHeaderSize);
      if (header->type == YamuxType::data) frames = frames.subspan(header->length);
      observer_.hear(side_, *header);
    }
  }

  // The pipe runs free and both owners read and finish: everything must come to its end.
  void settle() {
    for (int round = 0; round < 40 && !quiet() && !closed(); ++round) {
      for (side_ = 0; side_ < 2; ++side_) {
        for (StreamId id = 1; id <= last_id_; ++id) finish_one(id);
        while (session().wants_output() || !pipes_[side_].empty()) carry(1 << 20);
      }
      for (side_ = 0; side_ < 2; ++side_) {
        for (StreamId id = 1; id <= last_id_; ++id) read(id, session().readable(id).size());
        while (const auto event = session().poll()) handle(event);
      }
    }
    KAD_CHECK(closed() || quiet());
  }
  bool quiet() const {
    return std::ranges::all_of(sessions_, [](const YamuxSession& each) {
      return each.streams() + each.bytes_received() + each.bytes_queued() == 0;
    });
  }
  void finish_one(StreamId id) {
    session().finish(id);
    mine(id).finished = true;
  }

  void close(YamuxSession& one) {
    one.go_away(0);
    while (one.poll()) continue;
    KAD_CHECK(one.streams() + one.bytes_received() + one.bytes_queued() == 0);
  }

  void check_bounds() {
    const YamuxConfig config = small();
    for (const auto& each : sessions_) {
      KAD_CHECK(each.streams() <= config.max_streams);
      KAD_CHECK(each.bytes_received() <= config.receive_memory);
      KAD_CHECK(each.bytes_queued() <= config.send_memory);
    }
  }

  FuzzInput input_;
  Time now_{1h};
  YamuxSession sessions_[2] = {{Role::initiator, small(), now_}, {Role::responder, small(), now_}};
  Bytes pipes_[2];
  Observer observer_;
  std::map<std::pair<int, StreamId>, Half> halves_;
  std::map<StreamId, bool> broken_;  // by its owner, on purpose
  StreamId last_id_ = 0;             // that either has opened
  int side_ = 0;
};

}  // namespace
}  // namespace kadmesh

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kadmesh::Trial(kadmesh::FuzzInput(data, size)).run();
  return 0;
}
