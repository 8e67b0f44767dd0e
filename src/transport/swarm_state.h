// What a Swarm is made of; see swarm.h for what it promises. Two tables and what points into them:
//
//   links  every pipe, from the decision to dial or accept it to the report that it has ended
//   jobs   every search for a peer, with those who wait for it
//
//   link   dialing --on_dialed--> opening --authenticated--> up --> ended (until reported)
//   No link that is not up ever reached the node: it ends without a trace there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/flat_map.h"
#include "base/timer_wheel.h"
#include "transport/accept_limit.h"
#include "transport/connection.h"
#include "transport/dial_job.h"
#include "transport/swarm.h"

namespace kadmesh {

enum class JobId : std::uint64_t {};

// Waiting dials of one node, all jobs together: each is an operation of somebody.
inline constexpr std::size_t kMostDialsOfNode = 4096;

// Two round trips to the other side of the world, and some loss. Unauthenticated connections that
// are older are closed when others want their places: two hosts that accept and say nothing would
// otherwise hold all of them.
inline constexpr Duration kHandshakePatience = 2s;

// "peers being dialed: 512 of 512, on our side"
Error limit_reached(std::string_view scope, std::size_t current, std::size_t limit);

struct Link {
  enum class Stage : std::uint8_t { dialing, opening, up, ended };

  Stage stage;
  Multiaddr local;
  Multiaddr remote;
  bool ours;
  std::optional<JobId> job;                // that dialed it and still wants it
  std::optional<PeerId> expected;          // whom a dialed one must reach
  Time since;                              // of the pipe, then of the authenticated connection
  std::unique_ptr<Connection> connection;  // from opening on
  bool last = false;                       // ended: the peer has no other
  bool pipe_ended = false;                 // by itself: nothing is left to close
  bool dirty = false;                      // stands in State::dirty
  bool ready = false;                      // stands in State::ready
  bool reading = true;                     // as the driver has been told
  bool idle = false;                       // its idle timer runs
  Time armed = kNever;                     // its own timer
};

struct Job {
  DialJob search;
  std::vector<DialId> waiting;
  bool starved = false;  // stands in State::starved
};

struct Swarm::State {
  State(const KeyPair& identity, const SwarmConfig& with, Turn start);

  // --- links (swarm_links.cc)
  State& in(Turn turn) {
    now = turn.now.mono;
    return *this;
  }
  // A turn is nearly always about one connection: what was found last is found at once.
  Link* find(ConnId id);
  bool connected(ConnId id);
  Streams* streams(ConnId id);  // of a connection that is up, or was
  ConnId new_id() { return ConnId{++last_conn}; }
  bool refuse(const Endpoint& remote);
  bool make_way();
  void open(Turn turn, ConnId id, Role role);
  // After an input: notices what the connection has become.
  void settle(ConnId id);
  void established(ConnId id);
  std::optional<Error> unwanted(const Connection& connection) const;
  bool preferred(const Link& link) const;
  std::vector<ConnId>::iterator place(std::vector<ConnId>& of_peer, const Link& link);
  void ended(ConnId id);
  void ended_unknown(ConnId id);
  void say_goodbye(ConnId id, Link& link);
  // A pipe that nobody needs any more, and that the node has never seen.
  void drop(ConnId id);
  // Something was done with a connection: what follows from it is worked out once, before its
  // output is taken.
  void touch(ConnId id, Link& link);
  void touch(ConnId id);
  std::optional<SwarmEvent> next_event(ConnId id);
  void take_output(ConnId id, Link& link);
  void update_reading(ConnId id, Link& link);
  void change_protocols(Protocols changed);
  static ConnectionInfo info(ConnId id, const Link& link);
  void update_timer(ConnId id, Link& link);
  void update_idle(ConnId id, Link& link);
  void update_idle(const PeerId& peer);
  bool in_use(ConnId id, const Link& link) const;
  void mark_dirty(ConnId id, Link& link);
  void mark_ready(ConnId id, Link& link);
  void erase(ConnId id);
  Disconnected farewell(ConnId id);

  // --- dials (swarm_dials.cc)
  void start_dial(DialId id, std::optional<PeerId> peer, std::span<const Multiaddr> addrs,
                  Time deadline);
  Result<JobId> job_for(const std::optional<PeerId>& peer);
  // Starts what is due, ends the job when nothing is left to try.
  void pump(JobId id);
  void start_attempt(JobId id, Job& job);
  void attempt_failed(ConnId id, const Error& cause);
  // Everybody who waits for it is told; what still runs for it is dropped, or finishes by itself.
  enum class Rest : std::uint8_t { drop, let_finish };
  void finish_job(JobId id, const Result<ConnId>& result, Rest rest);
  void withdraw(DialId id);
  void dial_timed_out(DialId id);
  void tell(DialId id, Result<ConnId> result, std::vector<DialFailure> failures = {});
  void feed_starved();

  // --- timers
  enum class Timer : std::uint8_t { link, idle, job, dial };
  static TimerKey key(Timer kind, std::uint64_t id) {
    return id << 2 | static_cast<std::uint64_t>(kind);
  }
  void on_timer(TimerKey key);
  void on_link_timer(ConnId id);
  void on_idle(ConnId id);

  SwarmConfig config;
  PeerId self;
  std::optional<Rng> noise_luck;  // none: the turns'
  Rng& luck_of_noise(Turn turn) { return noise_luck ? *noise_luck : turn.rng; }
  Bytes opened_form;           // of the latest on_bytes()
  std::optional<ConnId> lent;  // whose input is not yet kept
  // Written, and maybe lent, to connections that are dirty.
  std::vector<std::shared_ptr<const Bytes>> lent_writes;
  std::shared_ptr<const NoiseStatic> noise;
  std::shared_ptr<const Protocols> protocols;
  Time now;  // of the last turn: hold() and unhold() come inside one

  std::uint64_t last_conn = 0;
  std::uint64_t last_job = 0;
  std::uint64_t last_dial = 0;
  FlatMap<ConnId, Link> links;
  ConnId found_id{};                           // whom find() found last
  Link* found = nullptr;                       // null: nobody, or it is gone
  FlatMap<PeerId, std::vector<ConnId>> peers;  // up; the first one serves the peer
  std::map<PeerId, std::size_t> holds;
  std::map<JobId, Job> jobs;
  std::map<PeerId, JobId> job_of;
  std::map<DialId, JobId> dials;
  std::deque<JobId> starved;        // have an address that is due, and no socket for it
  std::size_t dialing = 0;          // links in that stage
  std::size_t opening_inbound = 0;  // links in that stage that we did not dial

  AcceptLimit accept_limit{config.limits.accept_burst, config.limits.accept_interval};
  Refusals refusals{};

  TimerWheel timers;
  std::deque<SwarmAction> actions;
  std::deque<SwarmEvent> events;
  std::deque<ConnId> dirty;  // may have bytes for their pipe
  std::deque<ConnId> ready;  // may have events
};

}  // namespace kadmesh
