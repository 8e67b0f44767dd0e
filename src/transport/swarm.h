// All connections of one node: whom we dial, who dialed us, what is limited, what is idle.
//
// Bytes and socket events in, actions for the driver and events for the node out; both are polled
// until empty after every input, before the next one is read.
//
//   dial job    one per peer at a time: a second dial of a peer joins the first. Its addresses are
//               tried in order, staggered by kDialStagger, at most kDialsPerJob at once; the first
//               to authenticate wins, the others are closed. Its deadline ends it.
//   connection  dialing -> opening (Noise, muxer; deadline open_timeout) -> up -> gone
//   duplicates  simultaneous dials may give two connections to one peer: both are used. The one
//               whose initiator has the smaller id carries new streams (of several the oldest), so
//               both ends choose the same; the others are closed when they have been idle.
//   idle        a connection without streams that hold it (those of ping, identify and
//               GossipSub do not), and without a hold() of a protocol (for a shared topic, a place
//               in the routing table), is closed after idle_timeout.
//   stream      its owner's from StreamOpened, or from open_stream(), until release(), reset(),
//               StreamReset or OpenFailed: every owner ends in one of these. Afterwards no event
//               names it, calls with its key do nothing, and the key is never used again.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/turn.h"
#include "transport/peer_link.h"
#include "transport/security.h"

namespace kadmesh {

// Of all connections an eighth is only for our own dials: who fills the others (idle ones are kept
// open by a request a minute) must not keep us from reaching whom we choose.
inline constexpr std::size_t kOwnConnections = 8;

struct SwarmLimits {
  std::size_t connections = 4096;  // in all, dialing ones included
  std::size_t connections_per_peer = 4;
  std::size_t opening_inbound = 256;  // accepted and not yet authenticated
  // From one IPv4 address or IPv6 /56: so many handshakes at once, then one per interval.
  std::uint32_t accept_burst = 256;
  Duration accept_interval = 50ms;
  std::size_t dial_jobs = 512;
  std::size_t dialing = 160;  // sockets in connect() at once, as go; other addresses wait in turn
};

struct SwarmConfig {
  SwarmLimits limits;
  Duration open_timeout = 10s;  // from the pipe's start to streams
  Duration idle_timeout = 30s;
  Duration stream_timeout = 10s;        // to negotiate a stream that the peer opened
  bool early_muxer = true;              // offer the muxer inside the Noise payload
  bool keylog = false;                  // emit KeyLogLine actions
  Security security = Security::noise;  // plain: for simulation and replay alone
  // For recordings that are taken above Noise (plain_form.h): its keys are made of a luck of their
  // own, so that the turns' can be shown; and what goes through it is shown in its plain form.
  std::optional<Rng::Key> noise_luck{};
  bool plain_forms = false;
};

enum class DialId : std::uint64_t {};

// --- actions: what the driver must do
struct DialPipe {  // answered by on_dialed or on_dial_failed, exactly once, unless closed first
  ConnId id;
  Endpoint to;
};
struct WritePipe {  // in order; answered by on_written as the kernel takes the bytes
  ConnId id;
  Bytes bytes;
  Bytes form{};  // the same in its plain form; empty unless SwarmConfig::plain_forms
};
struct ReadPipe {  // whether bytes are to be read, which they are from the start
  ConnId id;
  bool wanted;
};
struct ClosePipe {  // no further input for `id`; what was written before is flushed first
  ConnId id;
  bool abort;  // do not wait for the flush
};
struct KeyLogLine {  // secrets of a connection, for decrypting a capture offline
  std::string line;
};
using SwarmAction = std::variant<DialPipe, WritePipe, ReadPipe, ClosePipe, KeyLogLine>;

// --- events: what the node is told
struct DialFailure {
  Multiaddr addr;
  Error cause;
};
struct DialFinished {  // the result of one dial(); success: the connection that serves it
  DialId id;
  Result<ConnId> result;
  std::vector<DialFailure> failures;  // addresses that did not work, each with its own cause
};
using SwarmEvent = std::variant<Established, Disconnected, DialFinished, StreamOpened, OpenFailed,
                                StreamReadable, StreamWritable, StreamFinished, StreamReset>;

struct ConnectionInfo {
  ConnId id;
  PeerId peer;
  Multiaddr local;
  Multiaddr remote;
  bool opened_by_us;
  Time since;
  std::size_t streams;
  Duration rtt;      // zero while unknown
  bool early_muxer;  // agreed inside the Noise payload
};

class Swarm {
 public:
  Swarm(const KeyPair& identity, const SwarmConfig& config, Turn start);
  ~Swarm();

  // Inputs from the driver. An accepted connection that a limit forbids is closed with the next
  // action. Events for a ConnId that is gone are ignored: the driver may be late.
  ConnId on_accepted(Turn turn, const Endpoint& local, const Endpoint& remote);
  void on_dialed(Turn turn, ConnId id, const Endpoint& local);
  void on_dial_failed(Turn turn, ConnId id, const Error& cause);
  void on_bytes(Turn turn, ConnId id, ByteView bytes);
  // The same for bytes that stay where they are until keep(): what is consumed upon the events of
  // this input is never copied. keep() must come before the bytes go, and before the next input.
  void lend(Turn turn, ConnId id, ByteView bytes);
  void keep();
  void on_written(Turn turn, ConnId id, std::size_t count);
  void on_closed(Turn turn, ConnId id, const Error& cause);
  void on_timer(Turn turn);
  Time next_timer() const;
  // With SwarmConfig::plain_forms: what the latest on_bytes() took, in its plain form.
  Bytes take_opened_form();

  std::optional<SwarmAction> poll_action();
  std::optional<SwarmEvent> poll_event();

  // Which protocols the other side may open: each is_protocol_name(), any other aborts.
  void serve(std::string protocol);
  void stop_serving(std::string_view protocol);
  std::vector<std::string> served() const;

  // With a peer: a live connection answers at once. Without: whoever authenticates there.
  // Ends by `deadline` with exactly one DialFinished.
  DialId dial(Turn turn, std::optional<PeerId> peer, std::span<const Multiaddr> addrs,
              Time deadline);
  // No DialFinished follows, not even one already waiting. Whoever else waits for the peer goes on.
  void cancel_dial(Turn turn, DialId id);

  // A stream on the peer's first connection. The key can be written to at once: with a single
  // protocol the bytes travel with the proposal (multistream's lazy form), otherwise after it.
  // Then StreamOpened or, by `deadline`, OpenFailed. Errc::unreachable when not connected,
  // Errc::limit at the muxer's bounds.
  Result<StreamKey> open_stream(Turn turn, const PeerId& peer,
                                std::span<const std::string> protocols, Time deadline);
  // The same on one connection.
  Result<StreamKey> open_stream_on(Turn turn, ConnId conn, std::span<const std::string> protocols,
                                   Time deadline);

  // How much was accepted; less than all means that StreamWritable will come.
  // A stream that is gone accepts 0.
  std::size_t write(Turn turn, StreamKey key, ByteView bytes);
  // The same for bytes that others have, too: what leaves with this input is not kept.
  std::size_t write(Turn turn, StreamKey key, std::shared_ptr<const Bytes> bytes);
  // What has arrived and was not consumed, contiguous; valid until the next call on this stream.
  ByteView readable(StreamKey key) const;
  void consumed(Turn turn, StreamKey key, std::size_t count);
  void finish(Turn turn, StreamKey key);                     // we write no more
  void reset(Turn turn, StreamKey key, std::uint32_t code);  // both directions, at once

  // Nothing more of this stream is ours. After finish() what was written still goes out, and what
  // comes is thrown away; otherwise, or while several protocols are being negotiated, it is reset.
  void release(Turn turn, StreamKey key);

  void close(Turn turn, ConnId id, const Error& why);
  void close_all(Turn turn, const Error& why);

  // While held, an idle connection to the peer stays open (a shared topic, a routing-table entry).
  // Counted; held peers need not be connected.
  void hold(const PeerId& peer);
  void unhold(const PeerId& peer);
  // Streams of these protocols do not keep a connection (identify, ping).
  void not_keeping(std::string protocol);

  bool connected(const PeerId& peer) const;
  std::vector<ConnectionInfo> connections() const;
  std::vector<ConnectionInfo> connections(const PeerId& peer) const;

  // Live objects, for the quiescence check: all zero once everything is closed.
  struct Counters {
    std::size_t connections, opening, dial_jobs, streams, buffered_bytes;
  };
  Counters counters() const;
  // Written to streams of live connections, and not yet in a WritePipe.
  std::size_t unsent_bytes() const;
  // Inbound connections that were closed as soon as they came, by cause, since the start.
  struct Refusals {
    std::uint64_t connections, opening, rate, per_peer;
  };
  const Refusals& refusals() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
