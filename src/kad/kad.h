// The Kademlia DHT of one node (libp2p specs, kad-dht/README.md): routing table, lookups, the
// server's side, bootstrap. A state machine of values: inputs in, actions polled out.
//
// Standing. A connected peer enters the table as `provisional`: lookups may ask it over the open
// connection at once; it is never handed out and never displaces a server. Identify, or an answer
// to a request of ours, makes it a `server`; identify or a refused protocol removes it.
//
// Hearsay. Addresses in an answer live inside the query that asked. A peer enters the table only by
// a connection, and the address it is kept at is the one we dialed or those it announced itself.
//
// Deadlines. Every operation has one, absolute, given by the caller; its requests end earlier or
// with it. At the deadline each outstanding request leaves as Cancel, then one Done, then nothing:
// late answers find no owner. What was found by then is reported (Walk::complete is false): the
// best value so far, the providers so far, a put with those who took it. With nothing,
// Errc::timeout.
//
// Empty table. An operation drives bootstrap and waits for it inside its own deadline. Where nobody
// can come (no seeds, nobody connected) it ends at once: a get with the local value or
// Errc::no_peers; a put or provide with success and `pending`, to be delivered when the first
// kad-capable peer comes, also after a restart.
//
// A get whose key nobody has ends with Errc::not_found as soon as the walk has converged. A value
// is best among what the closest peers and the local store hold; what is stale is repaired in the
// background.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/turn.h"
#include "kad/action.h"
#include "kad/bootstrap_status.h"
#include "kad/config.h"
#include "kad/report.h"
#include "kad/stats.h"
#include "kad/subnet.h"
#include "kad/table_entry.h"

namespace kadmesh {

class Kad {
 public:
  // Numbers in `config` that would stand still are raised to the least that moves.
  Kad(PeerId self, KadConfig config, Turn start);
  ~Kad();

  // --- inputs: connections. Exactly on 0 -> 1 and 1 -> 0.
  // `dialed`: the address we reached it at, when we dialed. `seen_in`: the public network of the
  // connection's other end, whoever dialed.
  void on_connected(Turn turn, const PeerId& peer, std::optional<Dialable> dialed,
                    std::optional<Subnet> seen_in = std::nullopt);
  void on_disconnected(Turn turn, const PeerId& peer);
  // What identify said: whether it serves our protocol, and where it listens.
  void on_identified(Turn turn, const PeerId& peer, bool serves_kad, std::vector<Dialable> addrs);
  // It has no identify (or that failed): our own kad request will tell.
  void on_unidentified(Turn turn, const PeerId& peer);
  // The addresses that we hand out for ourselves (providers, put); never empty entries.
  void on_own_addrs(Turn turn, std::vector<Multiaddr> addrs);
  // Answers a KadDial: who authenticated there, or why nobody did.
  void on_seed_dialed(Turn turn, const Multiaddr& seed, Result<PeerId> result);
  // The host's network came back or changed: backoffs start over, and every link is probed. The
  // same happens when the node finds that it slept, or that its clock was set (kad/wake_watch.h).
  void on_network_changed(Turn turn);

  // --- inputs: requests
  // `message`: unframed; empty when none was expected.
  void on_reply(Turn turn, KadRequestId id, ByteView message);
  // Errc::unsupported: the peer does not speak the protocol, and leaves the table. Errc::cancelled
  // and Errc::limit are not held against it.
  void on_request_failed(Turn turn, KadRequestId id, const Error& cause);
  // One request of a peer, unframed; answered by one KadReply or KadRefuse.
  KadInboundId on_request(Turn turn, const PeerId& from, ByteView message);
  void on_stored(Turn turn, KadStoreId id, const StoreResult& result);

  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<KadAction> poll();

  // --- commands; each ends in one KadDone, with the report of its name (kad/report.h); before it,
  // with WalkOptions::trace, come its steps, as KadStep (kad/walk_step.h). Beyond the
  // errors above: Errc::limit for what is too long or when kMostQueries run, Errc::io when the
  // store failed and no peer took it.
  // Errc::invalid for a key that no validator of ours knows.
  KadOp get(Turn turn, Bytes key, Time deadline, WalkOptions walk = {});
  // What the validator says of the value; Errc::refused when a better one is here.
  KadOp put(Turn turn, Bytes key, Bytes value, Time deadline, WalkOptions walk = {});
  // A key of 1 to kMostProviderKey bytes.
  KadOp provide(Turn turn, Bytes multihash, Time deadline, WalkOptions walk = {});
  // Ends early with `most` providers; 0, and more than kMostProviders, mean that many.
  KadOp find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline,
                       WalkOptions walk = {});
  KadOp find_peer(Turn turn, const PeerId& peer, Time deadline, WalkOptions walk = {});
  // The k closest to any bytes; Errc::invalid for none.
  KadOp find_closest(Turn turn, Bytes target, Time deadline, WalkOptions walk = {});
  void cancel(Turn turn, KadOp op);  // Done with Errc::cancelled
  // Ends every operation with Errc::closed, our own as well, and starts nothing any more. What is
  // asked of the store is still answered.
  void close(Turn turn);

  // --- questions
  const KadConfig& config() const;
  BootstrapStatus bootstrap() const;
  std::vector<TableEntry> table() const;  // by bucket, then by distance
  // One sentence: why the peer is or is not in the table.
  std::string why(const PeerId& peer) const;
  // Another: how soon the peer answers, and for how long it is waited for.
  std::string pace(const PeerId& peer) const;
  KadStats stats() const;
  // Our bug when it breaks: nothing outstanding once everything is closed.
  bool quiescent() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
