// The streams of one connection: a muxer's, each of which first agrees on a protocol.
//
//   open()                          the peer's SYN
//     |                                  |
//     v                                  v
//   proposing --na, error, deadline-->  X  <--none served, error, deadline-- listening
//     |          (OpenFailed)               (untold)                             |
//     +--echo--> ours, StreamOpened                 StreamOpened <--served-------+
//
// Rules:
//   - With a single proposal the owner's bytes follow it at once (multistream's lazy form). With
//     several they are held, up to kMostHeld, until one is agreed. Either way written does not mean
//     wanted: an owner who must know waits for StreamOpened, before which nothing can be read.
//   - A protocol is agreed by the deadline of its stream, or the stream is reset.
//   - At most kMostListening of the peer's streams have no protocol yet; further ones are reset.
//   - A stream is its owner's until release(), reset(), StreamReset or OpenFailed; after that no
//     event names it, and its id is never used again. Calls with such an id do nothing.
//   - When the connection ends, every stream gives OpenFailed or StreamReset with its cause; bytes
//     that came before can be read until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/flat_map.h"
#include "base/time.h"
#include "transport/multistream.h"
#include "transport/peer_link.h"
#include "transport/yamux.h"

namespace kadmesh {

// As rust; others bound the time alone.
inline constexpr std::size_t kMostListening = 128;
// A request fits; whoever has more to say learns of the room with StreamWritable.
inline constexpr std::size_t kMostHeld = 64 * 1024;

// What a connection must know of its node; a change makes a new one.
struct Protocols {
  std::vector<std::string> served;
  std::set<std::string, std::less<>> not_keeping;  // their streams do not count as use
};

class Streams {
 public:
  using Event = std::variant<StreamOpened, OpenFailed, StreamReadable, StreamWritable,
                             StreamFinished, StreamReset>;

  Streams(ConnId conn, const PeerId& peer, Role role, std::shared_ptr<const Protocols> protocols,
          Duration listen_timeout, Time start);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // Of the muxer below. An error is a breach by the peer.
  Result<void> on_bytes(Time now, ByteView bytes) { return yamux_.on_bytes(now, bytes); }
  Result<void> lend(Time now, ByteView bytes) { return yamux_.lend(now, bytes); }
  void keep() { yamux_.keep(); }
  void on_timer(Time now);
  Time next_timer() const;
  bool wants_input() const { return yamux_.wants_input(); }
  bool wants_output() const { return yamux_.wants_output(); }
  std::size_t take_output(Bytes& out, std::size_t limit) { return yamux_.take_output(out, limit); }
  std::size_t queued_bytes() const { return yamux_.bytes_queued(); }
  // Negotiates with what has come; so it may give the muxer output.
  std::optional<Event> poll(Time now);

  // As in swarm.h.
  Result<StreamId> open(std::span<const std::string> protocols, Time deadline);
  std::size_t write(StreamId id, ByteView bytes);
  // As the muxer's: the bytes stay where they are until keep_written(), after take_output().
  std::size_t write_lent(StreamId id, ByteView bytes);
  void keep_written() { yamux_.keep_written(); }
  ByteView readable(StreamId id) const;
  void consumed(Time now, StreamId id, std::size_t count);
  void finish(StreamId id);
  void reset(StreamId id, std::uint32_t code);
  void release(StreamId id);

  void set_protocols(std::shared_ptr<const Protocols> protocols);
  // The muxer ended by itself: this is why.
  const Error* ended() const { return yamux_.why(); }
  // Ends all streams, for this reason; the muxer says goodbye with `code`.
  void end(const Error& why, std::uint32_t code);

  // Streams of protocols that keep a connection; one that the peer opened counts once it is agreed.
  bool in_use() const;
  std::size_t size() const { return streams_.size(); }
  std::size_t buffered_bytes() const;
  std::size_t unsent_bytes() const;  // of these: written, and not taken out
  Duration rtt() const { return yamux_.rtt(); }

 private:
  // Exists until a protocol is agreed.
  struct Negotiation {
    std::variant<MultistreamDialer, MultistreamListener> side;
    Time deadline;
    bool answered = false;  // as the listener: the peer is owed our words before the end
    Bytes held;             // the owner's, for when it is known whose they are
  };
  struct Stream {
    std::unique_ptr<Negotiation> negotiation;
    bool ours;
    bool keeps;              // counts as use
    bool lazy = false;       // the owner's bytes need not wait for the negotiation
    bool released = false;   // by its owner, and has unsent bytes
    bool finishing = false;  // by its owner
    bool finished = false;   // by the peer, and its owner was told
    bool owes_room = false;  // a write fell short
    Bytes unsent;            // the muxer had no room for these; they come before anything else
  };

  Stream* find(StreamId id);
  Stream* owned(StreamId id);
  bool listening(const Stream& stream) const { return stream.negotiation && !stream.ours; }
  bool takes_writes(const Stream& stream) const;
  template <class Write>
  std::size_t write(StreamId id, ByteView bytes, Write to_muxer);

  void on(Time now, const YamuxSession::Opened& event);
  void on(Time now, const YamuxSession::Readable& event);
  void on(Time now, const YamuxSession::Writable& event);
  void on(Time now, const YamuxSession::Finished& event);
  void on(Time now, const YamuxSession::Reset& event);
  void on(Time, const YamuxSession::Closed&) {}

  void negotiate(Time now, StreamId id, Stream& stream);
  Result<std::size_t> select(Negotiation& negotiation, ByteView bytes) const;
  void agreed(Time now, StreamId id, Stream& stream, const std::string& protocol);
  void failed(StreamId id, Stream& stream, const Error& why, std::uint32_t code);
  void send(StreamId id, Stream& stream, ByteView bytes);
  void flush(StreamId id, Stream& stream);
  void flushed(StreamId id, const Stream& stream);
  void forget(StreamId id);
  Error reason(std::uint32_t code) const;
  StreamKey key(StreamId id) const { return {conn_, id}; }
  void tell(const Stream& stream, Event event);
  void silence(StreamId id);
  void drain(Time now, StreamId id);

  const ConnId conn_;
  const PeerId peer_;
  std::shared_ptr<const Protocols> protocols_;
  const Duration listen_timeout_;
  YamuxSession yamux_;
  FlatMap<StreamId, Stream> streams_;
  std::size_t listening_ = 0;
  std::set<std::pair<Time, StreamId>> deadlines_;  // of negotiations
  std::optional<Error> why_;                       // the connection ended
  std::vector<Event> news_;                        // made here, not by the muxer
};

}  // namespace kadmesh
