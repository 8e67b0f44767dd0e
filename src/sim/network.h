// Hosts and the connections between them: the sockets, the kernel and the wires
// of a simulated run. What lies between hosts: sim/link.h. Events go through
// the world's calendar; a packet costs O(1), and nothing ever walks over all
// hosts but heal().
//
// One end of a connection, as its host sees it:
//
//   dial() -> dialing --SYN-ACK--> knocking --the process is told--> open
//   SYN    -> opening --ACK-----> knocking --the process is told--> open
//   knocking, open --RST, given up--> over --the process is told--> gone
//   open --FIN, all before it read--> gone        any --close()--> [flushing
//   ->] gone
//
// The kernel works on while a process is frozen or busy: it answers SYNs, takes
// in bytes up to the window, loses them with a reset. What a process is told
// comes as events of its own (for_process()), which whoever runs it may put
// off; each keeps its order.
//
// One direction's bytes:
//
//   write() -> unsent --window--> up --rate of the sender--> flying
//   --latency--> [held up]
//           -> down --rate of the receiver--> ready --> the process, unless it
//           does not read
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "sim/address_plan.h"
#include "sim/calendar.h"
#include "sim/link.h"
#include "sim/nat.h"
#include "sim/slab.h"

namespace kadmesh {

// One end of a connection; used again after it is gone.
enum class SocketId : std::uint32_t {};

// A process's own name for an end.
using SocketToken = std::uint64_t;

// Who has processes on the hosts. Calls come from Network::handle() only; each
// may call back into the network at once.
class NetworkUser {
 public:
  virtual ~NetworkUser() = default;
  // False: what the process is to be told must wait; it comes as an event then.
  virtual bool awake(HostId host) const = 0;
  virtual void dialed(HostId host, SocketToken token, const Endpoint& local) = 0;
  virtual void dial_failed(HostId host, SocketToken token, const Error& cause) = 0;
  // The process names the end by Network::adopt() before it returns.
  virtual void accepted(HostId host, SocketId socket, const Endpoint& local,
                        const Endpoint& remote) = 0;
  // `digest`: what Network::write() was told of just these bytes; 0 when they come otherwise.
  virtual void bytes(HostId host, SocketToken token, ByteView bytes, std::uint64_t digest) = 0;
  virtual void written(HostId host, SocketToken token, std::size_t count) = 0;
  virtual void closed(HostId host, SocketToken token, const Error& cause) = 0;
  // Two dials have met: what the process dialed goes on under another number.
  // It is told nothing.
  virtual void renumbered(HostId host, SocketToken token, SocketId socket) = 0;
};

class Network {
 public:
  // Calendar events of these kinds are the network's; others are somebody
  // else's.
  static constexpr std::uint32_t kFirstKind = 1000;
  static bool handles(const CalendarEvent& event) { return event.kind >= kFirstKind; }

  // Both outlive this.
  Network(std::uint64_t seed, LinkConfig link, AddressPlan plan, Calendar& calendar,
          NetworkUser& user);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Hosts are numbered from 0 in the order in which they are added.
  HostId add_host(const HostConfig& config = {});
  NatId add_nat(const NatConfig& config);
  std::size_t hosts() const { return hosts_.size(); }
  // As the host itself sees it; behind a NAT an inner one.
  Endpoint address(HostId host, std::uint16_t port = 0) const;
  // A port of the NAT that leads to the host's, for ever. Errc::invalid: not
  // behind a NAT, or taken.
  Result<Endpoint> forward(HostId host, std::uint16_t port, std::uint16_t outer_port);
  const Nat& nat(NatId nat) const { return nats_.at(static_cast<std::size_t>(nat)).nat; }
  Duration one_way(HostId a, HostId b) const;

  // --- for processes
  void listen(HostId host, std::uint16_t port) { hosts_.at(host).listening.insert(port); }
  void stop_listening(HostId host, std::uint16_t port) { hosts_.at(host).listening.erase(port); }
  bool listening(HostId host) const { return !hosts_.at(host).listening.empty(); }
  // Answered by dialed() or dial_failed(). From a port of its own that is used
  // for nothing else, or from a given one (that of a listener): two such dials
  // of each other are a simultaneous open, and both are answered by dialed().
  SocketId dial(HostId from, SocketToken token, const Endpoint& to, std::uint16_t local_port = 0);
  void adopt(SocketId socket, SocketToken token);
  // How much the kernel took at once (LinkConfig::taken_at_once_ppm); written() tells of the rest,
  // as the kernel takes it. `digest`: what the reader would make of the bytes, to spare it looking
  // at all of them, far from where they were in anybody's cache; 0: nothing.
  std::size_t write(SocketId socket, Bytes bytes, std::uint64_t digest = 0);
  void read(SocketId socket, bool wanted);
  // Nothing more is said of this end. What was written is flushed first, unless
  // `abort`.
  void close(SocketId socket, bool abort);

  // --- events
  void handle(const CalendarEvent& event);
  // Tells a process something, which may wait while the process does not run.
  static bool for_process(const CalendarEvent& event);
  HostId host_of(const CalendarEvent& event) const;
  // One for a process that tells it nothing any more: what it was about has ended, or is on hold.
  bool stale(const CalendarEvent& event) const;

  // --- trouble
  // The process is gone: the kernel resets its connections, and refuses new
  // ones.
  void reset_all(HostId host);
  // The machine is gone, and says nothing to anybody; what comes to it is lost.
  void vanish(HostId host);
  // It runs again, and knows nothing of its connections.
  void power_up(HostId host);
  bool dark(HostId host) const { return hosts_.at(host).dark; }
  // Between hosts of two groups nothing passes; who is in none is in group 0.
  void partition(const std::vector<std::vector<HostId>>& groups);
  void end_partition();
  // Nothing passes from `from` to `to`.
  void cut(HostId from, HostId to);
  // Partitions and cuts end.
  void heal();
  void heal(HostId from, HostId to);
  // Every connection of the two ends, on both sides at once, which are told
  // `why`.
  void reset_between(HostId a, HostId b, const char* why);
  // One connection of the host ends, if there is any: whether one did. This side learns it at once.
  // Draws once.
  bool reset_some(HostId host, Luck& luck);
  // What is sent between the two arrives after the pause, as if a router had
  // choked.
  void stall(HostId a, HostId b, Duration pause);

  // --- questions
  bool reachable(HostId from, HostId to) const;
  std::size_t connections(HostId host) const { return hosts_.at(host).sockets.size(); }
  // Connections of which anything is left, on either side or under way.
  std::size_t live() const { return pipes_.size(); }
  std::uint64_t segments() const { return segments_delivered_; }
  std::uint64_t bytes() const { return bytes_delivered_; }

 private:
  enum class Kind : std::uint32_t;
  enum class State : std::uint8_t {
    gone,
    dialing,
    opening,
    knocking,
    open,
    over,
    flushing,
  };
  // Why an end was told that it is over.
  enum class Cause : std::uint8_t { closed, reset, refused, silence, nowhere, limit, cut };

  struct Segment {
    Bytes bytes;           // none: the end of the stream
    std::uint32_t offset;  // what is before it has been read
    std::uint32_t next;
    std::uint64_t digest;  // of `bytes`, all of them; 0: not known
    Time at;               // of arrival
    bool fin() const { return bytes.empty(); }
    std::size_t left() const { return bytes.size() - offset; }
  };
  using Segments = Slab<Segment, 10>;
  struct Queue {
    std::uint32_t first = Segments::kNone, last = Segments::kNone;
    bool empty() const { return first == Segments::kNone; }
  };

  struct End {
    SocketToken token = 0;
    HostId host = 0;
    State state = State::gone;
    Cause cause = Cause::closed;
    bool wanted = true;       // its bytes, by the process
    bool delivering = false;  // an event is under way that brings them
    bool heard = false;       // bytes came, and nothing was written since
  };
  // The direction from end i to the other.
  struct Way {
    Queue flying, ready;
    Luck luck{0};
    Time last_arrival{}, last_write{};
    std::size_t held = 0;                 // by the kernels and the wire: what the window counts
    std::size_t owed = 0;                 // written() has yet to say so
    bool backed_up = false;               // some are unsent
    bool landing = false;                 // an event for the first of `flying` is under way
    bool telling = false;                 // one for written()
    bool stalled = false;                 // until RareWay::stalled_until
    bool blocked = false;                 // since RareWay::blocked_since
    bool in_up = false, in_down = false;  // in the turnstile of the host
  };
  // What a packet does not touch when all goes well.
  struct RareEnd {
    Endpoint local, remote;
    std::uint32_t place = 0;        // in its host's list
    std::uint16_t dialed_port = 0;  // the local port, if the process chose it
  };
  struct RareWay {
    Queue unsent, up, down;
    Time stalled_until{}, blocked_since{};
    Time resumes_at{};  // what was blocked: when it is sent again
    std::uint32_t next_up = 0, next_down = 0;
  };
  // In the order of use: a packet touches two lines of the processor's cache.
  struct alignas(64) Pipe {
    Duration latency{};
    std::uint32_t life = 0;  // of the slot: events of an earlier one are stale
    bool used = false;
    std::array<End, 2> ends;  // the dialer, the acceptor
    alignas(64) std::array<Way, 2> ways;
    std::array<RareWay, 2> rare_ways;
    std::array<RareEnd, 2> rare_ends;
  };
  using Pipes = Slab<Pipe, 6>;

  // Ways that wait for a host's line, served in turn.
  struct Turnstile {
    std::uint64_t rate = 0;
    std::uint32_t first = Pipes::kNone, last = Pipes::kNone;
    bool busy = false;
  };
  struct Host {
    Endpoint address;
    std::uint32_t region = 0;
    std::uint32_t group = 0;
    std::size_t limit = 0;
    std::optional<NatId> nat;
    Turnstile up, down;
    std::set<std::uint16_t> listening;
    std::uint16_t next_port = 10'000;
    std::uint64_t dials = 0;
    bool dark = false;
    std::vector<std::uint32_t> sockets;                            // ends that are not gone
    std::vector<std::pair<std::uint32_t, std::uint32_t>> blocked;  // ways to it that wait, and life
  };
  struct NatBox {
    Nat nat;
    std::map<Endpoint, HostId> inner;  // port 0
  };
  struct AddressHash {
    std::size_t operator()(const Endpoint& of) const noexcept;
  };
  // Where an address leads: to a host, in the same inner network or not, or to
  // a NAT, or nowhere.
  struct Somewhere {
    std::optional<HostId> host{};
    std::optional<NatId> nat{};
    bool inside = false;
  };

  // Ends and ways have the same number: the way begins at the end.
  End& end(std::uint32_t at) { return pipes_[at >> 1].ends[at & 1]; }
  const End& end(std::uint32_t at) const { return pipes_[at >> 1].ends[at & 1]; }
  Way& way(std::uint32_t at) { return pipes_[at >> 1].ways[at & 1]; }
  RareEnd& rare_end(std::uint32_t at) { return pipes_[at >> 1].rare_ends[at & 1]; }
  const RareEnd& rare_end(std::uint32_t at) const { return pipes_[at >> 1].rare_ends[at & 1]; }
  RareWay& rare_way(std::uint32_t at) { return pipes_[at >> 1].rare_ways[at & 1]; }
  static std::uint32_t other(std::uint32_t at) { return at ^ 1; }
  Time now() const { return calendar_.now(); }
  void post(Time when, Kind kind, std::uint32_t at, std::uint32_t detail = 0);
  void post_line(Time when, Kind kind, HostId host, std::uint32_t size);

  // --- network_open.cc
  Somewhere find(HostId from, const Endpoint& to) const;
  std::uint16_t ephemeral_port(Host& host);
  void send_syn(std::uint32_t dialer, std::uint32_t attempt);
  void retry_syn(std::uint32_t dialer, std::uint32_t attempt, Duration waited);
  void on_syn(std::uint32_t dialer, std::uint32_t attempt);
  std::optional<std::pair<HostId, Endpoint>> let_in(std::uint32_t dialer) const;
  bool meet(std::uint32_t dialer, std::uint32_t attempt, HostId target, const Endpoint& local);
  void answer_syn(std::uint32_t dialer, std::uint32_t attempt, HostId target,
                  const Endpoint& local);
  void on_syn_ack(std::uint32_t dialer, std::uint32_t attempt);
  void on_ack(std::uint32_t acceptor);
  void refuse(std::uint32_t dialer, Cause cause, Duration wait);
  void tell_dialed(std::uint32_t at);
  void tell_failed(std::uint32_t at, Cause cause);
  void tell_accepted(std::uint32_t at);
  bool full(const Host& host) const;
  void join(std::uint32_t at, HostId host);
  void forget_dialed_port(std::uint32_t at);

  // --- network_stream.cc
  std::uint32_t make_segment(Bytes bytes, std::uint64_t digest = 0);
  void push(Queue& queue, std::uint32_t segment);
  void push_front(Queue& queue, std::uint32_t segment);
  std::uint32_t pop(Queue& queue);
  void give_back(std::uint32_t segment);
  std::uint32_t split(std::uint32_t segment, std::size_t size);
  void drop(Queue& queue);
  void drop_unsent(std::uint32_t at);
  void take(std::uint32_t at, std::uint32_t segment);
  std::size_t taken_at_once(std::uint32_t at);
  void coalesce(Way& from, std::uint32_t first, Bytes& bytes);
  void depart(std::uint32_t at, std::uint32_t segment);
  bool joined(std::uint32_t at, std::uint32_t segment);
  void depart_in_pieces(std::uint32_t at, std::uint32_t segment);
  void fly(std::uint32_t at, std::uint32_t segment);
  void arm_landing(std::uint32_t at);
  void on_landing(std::uint32_t at);
  void fetch_ahead() const;
  bool passes(std::uint32_t at) const;
  void stall(std::uint32_t at, Time until);
  void arrive(std::uint32_t at, std::uint32_t segment);
  void deliver_soon(std::uint32_t to);
  void deliver(std::uint32_t to);
  void keep_rest(Way& from, std::uint32_t segment, const Bytes& bytes, std::size_t read);
  void credit(std::uint32_t at, std::size_t count);
  void take_in_unsent(std::uint32_t at);
  void tell_written_soon(std::uint32_t at);
  void tell_written(std::uint32_t at);
  void send_fin(std::uint32_t at);
  void on_flush_deadline(std::uint32_t at);
  void send_reset(std::uint32_t from);
  void on_reset(std::uint32_t at);
  void end_now(std::uint32_t at, Cause cause);
  void tell_closed(std::uint32_t at);
  void leave(std::uint32_t at);
  void abandon(std::uint32_t at);
  void release_if_done(std::uint32_t at);
  void block(std::uint32_t at);
  void unblock(HostId to);
  void on_give_up(std::uint32_t at);
  void unblock_all();
  Error error_of(Cause cause) const;
  std::vector<std::uint32_t> between(HostId a, HostId b) const;

  // --- network_rates.cc
  static Duration time_of(std::size_t bytes, std::uint64_t rate);
  struct Line;  // up or down: which members of Host and Way are its
  static const Line kUp, kDown;
  void wait_for(const Line& line, std::uint32_t at);
  std::uint32_t first_of(const Line& line, Turnstile& gate);
  void serve_next(const Line& line, HostId host);
  void on_served(const Line& line, HostId host, std::uint32_t size);

  std::uint64_t seed_;
  LinkConfig link_;
  AddressPlan plan_;
  Calendar& calendar_;
  NetworkUser& user_;
  std::vector<Host> hosts_;
  std::deque<NatBox> nats_;
  std::unordered_map<Endpoint, Somewhere, AddressHash> addresses_;  // port 0
  // Dials from a port that the process chose: where a SYN may meet one that
  // left.
  std::map<std::pair<HostId, std::pair<std::uint16_t, Endpoint>>, std::uint32_t> meeting_;
  Pipes pipes_;
  Segments segments_;
  std::unordered_set<std::uint64_t> cuts_;  // from << 32 | to
  bool partitioned_ = false;
  // Whether a packet has to ask hosts at all: how many are dark, and whether
  // any has a rate.
  std::size_t dark_ = 0;
  bool rates_ = false;
  const char* why_cut_ = "";
  std::uint64_t segments_delivered_ = 0, bytes_delivered_ = 0;
};

}  // namespace kadmesh
