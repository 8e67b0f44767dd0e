// Yamux 1.0.0: many streams over one ordered pipe (libp2p specs, yamux/README.md; hashicorp/yamux
// spec.md). Bytes in, frames out; knows nothing of Noise or TCP, and has no clock.
//
//   running --GoAway came, breach, deadline--> ending --events polled--> closed
//      |                                                                  ^
//      +--go_away()-------------------------------------------------------+
//
//   ending   nothing more comes in or is written; events of what came before are still given out
//   closed   every stream gets Reset, then comes Closed, and that was the last event
//
// Rules:
//   - The initiator opens odd ids, the responder even ones.
//   - A stream is announced (SYN) and acknowledged (ACK) at once, before any of its data.
//   - FIN ends one half, on a window update; RST ends both, and its length is an error code. Any
//     GoAway, code 0 as well, ends the session: finish streams first.
//   - Data for streams that are unknown, or ended here, is drained.
//   - A breach ends the session with GoAway(1): a header that cannot be, SYN with our parity or
//     on a live id, data beyond the window, a body longer than max_window, credit beyond 2^32-1,
//     a pong that nobody asked for, a frame whose rest does not come within frame_timeout.
//   - What merely is too much costs only the stream: SYN beyond the bounds, data beyond
//     receive_memory, data after FIN.
//   - A header is judged before anything is made for it; bodies take memory as they arrive.
//   - Output is pulled: frames exist only in take_output(). All that the peer can make us owe it
//     is bounded: a window update per stream, kYamuxMostPongs, kYamuxMostResets. While it does
//     not take what is owed, wants_input() asks to leave its bytes in the pipe.
//   - Control goes before data; streams with data take turns.
//   - A write is accepted as far as the peer's credit and the send queues go, so all that is queued
//     may be sent at once, and waits only for the pipe.
//
// Every call with a stream that is gone, or never was, does nothing: the peer may have ended it
// first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/flat_map.h"
#include "base/time.h"
#include "transport/role.h"
#include "transport/yamux_config.h"
#include "transport/yamux_keepalive.h"
#include "transport/yamux_stream.h"

namespace kadmesh {

class YamuxSession {
 public:
  // The peer has opened a stream; it is ours to read, write, finish, reset.
  struct Opened {
    StreamId id;
    friend bool operator==(const Opened&, const Opened&) = default;
  };
  // Bytes came. Comes again only for bytes that come after it was polled.
  struct Readable {
    StreamId id;
    friend bool operator==(const Readable&, const Readable&) = default;
  };
  // After a write that fell short: try again. It may fall short again.
  struct Writable {
    StreamId id;
    friend bool operator==(const Writable&, const Writable&) = default;
  };
  // The peer has ended its half, and every byte of it has been consumed.
  struct Finished {
    StreamId id;
    friend bool operator==(const Finished&, const Finished&) = default;
  };
  // Both halves have ended, not by reset() or release(). The last event of a stream; what was not
  // consumed is gone.
  struct Reset {
    StreamId id;
    std::uint32_t code;
    friend bool operator==(const Reset&, const Reset&) = default;
  };
  // Why the session ended. Errc::closed: in order, by either side.
  struct Closed {
    Error why;
    friend bool operator==(const Closed&, const Closed&) = default;
  };
  using Event = std::variant<Opened, Readable, Writable, Finished, Reset, Closed>;

  YamuxSession(Role role, const YamuxConfig& config, Time start);
  // Streams are linked to each other and to the session.
  YamuxSession(const YamuxSession&) = delete;
  YamuxSession& operator=(const YamuxSession&) = delete;

  // An error is a breach: send what take_output() has left, then end the connection. Closed follows
  // from poll() as well. Once the session has ended, bytes are ignored.
  Result<void> on_bytes(Time now, ByteView bytes);
  // The same for bytes that stay where they are until keep(): what is consumed by then is never
  // copied. keep() must come before they go.
  Result<void> lend(Time now, ByteView bytes);
  void keep();
  void on_timer(Time now);
  Time next_timer() const;

  // Errc::limit at a bound: one of our streams must end, or be acknowledged, first.
  Result<StreamId> open();
  // How much was accepted; less than all means that Writable will come, unless the half has ended.
  std::size_t write(StreamId id, ByteView bytes);
  // The same for bytes that stay where they are until keep_written(), after take_output(): what
  // leaves by then is never copied but into the output.
  std::size_t write_lent(StreamId id, ByteView bytes);
  void keep_written();
  // What write() would accept now.
  std::size_t budget(StreamId id) const;
  // All that came and was not consumed, contiguous. Valid until the next call that is not const.
  ByteView readable(StreamId id) const;
  // Only this lets the peer send more: whoever waits for a message longer than the window must
  // consume it piece by piece. count <= readable(id).size()
  void consumed(Time now, StreamId id, std::size_t count);
  // We write no more; what was written goes out, then FIN.
  void finish(StreamId id);
  // Both halves, at once, without an event.
  void reset(StreamId id, std::uint32_t code);
  // The owner leaves, without an event. A half that was finished still goes out, and what comes is
  // drained; a stream that was not is reset.
  void release(StreamId id);

  // Ends the session now.
  void go_away(std::uint32_t reason);
  bool closed() const { return state_ != State::running; }
  // Why it ended, until Closed has been polled; null otherwise.
  const Error* why() const { return why_ ? &*why_ : nullptr; }

  std::optional<Event> poll();

  // False: leave the peer's bytes in the pipe until output has been taken.
  bool wants_input() const;
  bool wants_output() const;
  // Appends whole frames, at most `limit` bytes. Returns how many bytes.
  std::size_t take_output(Bytes& out, std::size_t limit);

  // Smoothed; zero while unknown.
  Duration rtt() const { return keepalive_.rtt(); }

  // Live objects: all zero once everything has ended and been polled.
  std::size_t streams() const { return streams_.size(); }
  std::size_t bytes_received() const { return bytes_received_; }  // and not consumed
  std::size_t bytes_queued() const { return bytes_queued_; }      // and not taken out

 private:
  enum class State : std::uint8_t { running, ending, closed };
  // The body that is arriving. Stream 0: nobody's, drained.
  struct Body {
    StreamId stream = 0;
    std::uint32_t left = 0;
    bool fin = false;
  };
  struct Refusal {
    StreamId id;
    std::uint32_t code;
  };
  class Output;

  // --- yamux.cc: the owner's side ---
  static Duration ping_interval(Role role, const YamuxConfig& config);
  YamuxStream* find(StreamId id);
  const YamuxStream* find(StreamId id) const;
  YamuxStream* owned(StreamId id);  // not released
  YamuxStream& add(StreamId id, bool ours);
  // Not announced before the peer has been heard (YamuxConfig::max_early).
  bool held_back(const YamuxStream& stream) const;
  void owe_control(YamuxStream& stream);
  void owe_data(YamuxStream& stream);
  void on_first_bytes();
  void erase(YamuxStream& stream);
  void erase_if_over(YamuxStream& stream);
  Result<void> judge_open() const;
  std::size_t room(const YamuxStream& stream) const;
  std::size_t take_in(StreamId id, ByteView bytes, bool lent);
  void enqueue(YamuxStream& stream, ByteView bytes, bool lent);
  void note_shortage(YamuxStream& stream);
  void offer_room(YamuxStream& stream);
  void offer_memory();
  void drop_received(YamuxStream& stream);
  void drop_queued(YamuxStream& stream);
  void queue_reset(StreamId id, std::uint32_t code);
  // Our decision about a stream whose owner must hear of it.
  void kill(YamuxStream& stream, std::uint32_t code);
  void die(YamuxStream& stream, std::uint32_t code);
  void raise(YamuxStream& stream, std::uint8_t event);
  Event next_event(YamuxStream& stream);
  void end(Error why, std::uint32_t code);
  void close_streams();

  // --- yamux_input.cc: what the peer sends ---
  Result<void> read(Time now, ByteView input);
  Result<void> read_header(Time now, ByteView& input);
  void read_body(ByteView& input);
  void receive(YamuxStream& stream, ByteView piece);
  void end_frame();
  Result<void> on_frame(Time now, const YamuxHeader& header);
  Result<void> on_stream_frame(const YamuxHeader& header);
  Result<void> on_ping(Time now, const YamuxHeader& header);
  void on_go_away(const YamuxHeader& header);
  std::uint32_t most_body() const;
  Result<void> judge_syn(const YamuxHeader& header);
  bool accept(StreamId id);
  void on_ack(StreamId id);
  void on_rst(const YamuxHeader& header);
  Result<void> on_data(const YamuxHeader& header);
  Result<void> on_credit(const YamuxHeader& header);
  void on_fin(StreamId id);

  // --- yamux_output.cc: what the peer is sent ---
  void take_session_frames(Output& out);
  void take_resets(Output& out);
  void take_control(Output& out);
  void take_data(Output& out);
  bool take_piece(YamuxStream& stream, Output& out);

  const Role role_;
  const YamuxConfig config_;
  State state_ = State::running;
  Time now_;            // of the last input
  bool heard_ = false;  // the peer has sent something

  FlatMap<StreamId, YamuxStream> streams_;
  StreamId next_id_;
  std::size_t ours_ = 0;        // streams opened by us
  std::size_t unacked_ = 0;     // of these, not acknowledged
  std::size_t unaccepted_ = 0;  // streams opened by the peer whose Opened was not polled

  Fifo<YamuxStream, &YamuxStream::in_events> events_;
  Fifo<YamuxStream, &YamuxStream::in_control> control_;
  Fifo<YamuxStream, &YamuxStream::in_data> data_;
  Fifo<YamuxStream, &YamuxStream::in_waiting> waiting_;

  StorageCache cache_;
  YamuxStream* lent_ = nullptr;          // whose `received` lies in bytes that were lent
  YamuxStream* lent_written_ = nullptr;  // whose `queued` does
  std::size_t bytes_received_ = 0;
  std::size_t bytes_queued_ = 0;
  std::size_t window_growth_;  // what windows may still grow by

  std::array<std::uint8_t, kYamuxHeaderSize> header_{};
  std::size_t header_size_ = 0;  // of it, how much has come
  Body body_;
  Time frame_deadline_ = kNever;

  YamuxKeepalive keepalive_;
  std::optional<std::uint32_t> ping_;  // to be sent
  std::array<std::uint32_t, kYamuxMostPongs> pongs_{};
  std::size_t pong_count_ = 0;
  std::vector<Refusal> resets_;
  std::optional<std::uint32_t> go_away_;  // to be sent

  std::optional<Error> why_;  // the session ended; until Closed has been polled
  std::uint32_t why_code_ = 0;
};

}  // namespace kadmesh
