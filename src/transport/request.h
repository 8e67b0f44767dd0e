// Request and response over a stream: connect if need be, open a stream, write one message, say
// that it was all, read one message. Kademlia, relay and rendezvous clients ask this way.
//
//   dialing -> writing -> awaiting -> done        (connected already: starts at writing)
//
// Rules:
//   - One deadline, fixed at birth, covers dial, negotiation, write and reply. At the deadline the
//     stream is reset, the dial withdrawn, and the request completes with Errc::timeout.
//   - Every request completes exactly once, unless it is cancelled: then never.
//   - A request without a reply completes once the peer has agreed to the protocol and all of the
//     message has gone into the stream; a protocol that is refused is never a success.
//   - A reply's length is judged against most_reply before memory is taken for it.
//   - The peer may go on talking after its reply; nobody listens.
//   - With reuses_stream the request goes out on a stream to the peer that has answered before, if
//     one is kept (kept_streams.h), and its own is kept once it has answered. One that turns out to
//     be dead costs another try on a new one: what is asked so must do no harm when asked twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/swarm.h"

namespace kadmesh {

// Given out in order, never used again.
enum class RequestId : std::uint64_t {};

struct Request {
  PeerId peer;
  std::vector<Multiaddr> addrs;        // where to dial when not connected; may be empty
  std::vector<std::string> protocols;  // best first; with one, everything goes out in one flight
  Bytes message;                       // without its length prefix
  bool expects_reply = true;
  bool reuses_stream = false;  // only with a reply, and of protocols that answer in order
  std::size_t most_reply;      // bytes of the reply's message
  Time deadline;
};

struct Completed {
  RequestId id;
  Result<Bytes> reply;  // the message without its prefix; empty when none was expected
};

class Requester {
 public:
  // More than this at once fails with Errc::limit: each holds a message and a stream.
  static constexpr std::size_t kMostRequests = 4096;

  // `swarm` outlives this.
  explicit Requester(Swarm& swarm);
  ~Requester();

  // Never completes inside the call: the answer, a failure to start too, comes from poll().
  RequestId ask(Turn turn, Request request);
  // The stream is reset, the dial withdrawn; no Completed follows, not even one already waiting.
  // An id that is done is ignored.
  void cancel(Turn turn, RequestId id);

  // True when the event was about a dial or a stream of this Requester: nobody else's business.
  bool on_event(Turn turn, const SwarmEvent& event);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<Completed> poll();

  // Requests that have neither completed nor been cancelled.
  std::size_t outstanding() const;
  // Streams that wait for the next request.
  std::size_t kept_streams() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
