// The Kademlia DHT of one node (libp2p specs, kad-dht/README.md): routing table, lookups, the
// server's side, bootstrap. A state machine of values: inputs in, actions polled out.
//
// Standing. A connected peer enters the table as `provisional`: lookups may ask it over the open
// connection at once; it is never handed out and never displaces a server. Identify (or a
// negotiated kad stream) makes it a `server` or removes it.
//
// Hearsay. Addresses in an answer live inside the query that asked. They reach the table only when
// our own request to that peer was answered.
//
// Deadlines. Every operation has one, absolute, given by the caller; its requests end earlier or
// with it. At the deadline each outstanding request leaves as Cancel, then one Done, then nothing:
// late answers find no owner.
//
// Empty table. An operation drives bootstrap and waits for it inside its own deadline. With no
// seeds at all it ends at once (Errc::no_peers); a put is kept as pending and delivered when the
// first kad-capable peer comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/turn.h"
#include "store/store.h"
#include "store/validator.h"

namespace kadmesh {

struct KadConfig {
  std::string protocol = "/ipfs/kad/1.0.0";
  bool server = true;              // serve the protocol and list it in identify
  std::size_t k = 20;              // bucket size, and closest peers sought
  std::size_t alpha = 10;          // requests in flight in a lookup
  std::size_t beta = 3;            // closest that must have answered before a lookup converges
  Duration request_timeout = 5s;   // one peer's answer; never beyond the operation's deadline
  Duration health_interval = 15s;  // level-triggered check of live, kad-capable peers
  Duration refresh_interval = 10min;
  Duration record_ttl = 48h;
  Duration provider_ttl = 48h;
  Duration republish_interval = 22h;
  std::size_t most_value =
      64 * 1024 - 1024;          // bytes of key and value together, checked before sending
  std::vector<Multiaddr> seeds;  // permanent; retried for ever with jittered backoff
  Validators validators = Validators::standard();
};

enum class KadOp : std::uint64_t {};  // one user operation
enum class KadRequestId : std::uint64_t {};
enum class KadInboundId : std::uint64_t {};
enum class KadStoreId : std::uint64_t {};

// --- results of operations
// How a walk went; in every report.
struct Walk {
  std::size_t asked = 0, answered = 0, failed = 0, hops = 0;
  Duration took{};
};
struct GetReport {
  Bytes key, value;
  std::size_t copies = 0;  // peers that held the chosen value
  bool local = false;      // the chosen value was also here
  Walk walk;
};
struct PutReport {
  Bytes key;
  bool stored_locally = false;
  bool pending = false;  // kept for the first peer that comes
  std::size_t contacted = 0, acknowledged = 0;
  std::vector<PeerId> closest;  // that the walk knows, acknowledged or not
  Walk walk;
};
struct ProvideReport {
  Bytes key;
  bool stored_locally = false;
  bool pending = false;
  std::size_t contacted = 0;  // ADD_PROVIDER has no answer
  std::vector<PeerId> closest;
  Walk walk;
};
struct ProvidersReport {
  Bytes key;
  std::vector<Contact> providers;
  Walk walk;
};
struct FindReport {
  Contact found;
  bool connected = false;
  Walk walk;
};
struct ClosestReport {
  Bytes target;
  std::vector<Contact> closest;
  Walk walk;
};
using KadReport =
    std::variant<GetReport, PutReport, ProvideReport, ProvidersReport, FindReport, ClosestReport>;

// --- actions
// -------------------------------------------------------------------------------------- Send
// `message` (unframed) on a stream of KadConfig::protocol, dialling `to.addrs` when there is no
// connection. Answered by on_reply or on_request_failed, exactly once, by `deadline`.
struct KadRequest {
  KadRequestId id;
  Contact to;
  Bytes message;
  bool expects_reply;
  Time deadline;
};
struct KadCancel {  // withdraw it; no answer will be listened to
  KadRequestId id;
};
struct KadReply {  // to one inbound request; no message: none is due (ADD_PROVIDER)
  KadInboundId id;
  std::optional<Bytes> message;
};
struct KadRefuse {  // reset the stream of an inbound request
  KadInboundId id;
  Error why;
};
struct KadStore {
  KadStoreId id;
  StoreRequest request;
};
struct KadDial {  // reach a seed; answered by on_seed_dialed
  Multiaddr seed;
  Time deadline;
};
struct KadProvider {  // found on the way, before the operation is done; each once
  KadOp op;
  Contact provider;
};
struct KadDone {  // exactly once for every operation
  KadOp op;
  Result<KadReport> report;
};
// The peer entered or left the table: the node keeps its connection while it is in.
struct KadHold {
  PeerId peer;
  bool hold;
};
using KadAction = std::variant<KadRequest, KadCancel, KadReply, KadRefuse, KadStore, KadDial,
                               KadProvider, KadDone, KadHold>;

// --- bootstrap
enum class Bootstrap { no_seeds, dialling, joined, isolated };
std::string_view name(Bootstrap state);
struct BootstrapStatus {
  Bootstrap state{};
  std::size_t live = 0;      // connected, kad-capable peers
  std::size_t attempts = 0;  // seed dials since last joined
  Time next_attempt = kNever;
  std::string last_failure;  // of the latest seed that failed; empty when none did
};

// --- the table, for people
enum class Standing { provisional, server };
std::string_view name(Standing standing);
struct TableEntry {
  Contact contact;
  Standing standing{};
  bool connected = false;
  Time since;                // in the table
  Time last_answer;          // Time{} when it never answered us
  std::size_t failures = 0;  // in a row
  unsigned bucket = 0;       // common prefix length with us, 0..255
};
struct KadStats {
  std::size_t queries_running = 0, requests_outstanding = 0, inbound_waiting = 0;
  std::size_t table_servers = 0, table_provisional = 0, pending_puts = 0;
  std::uint64_t queries_started = 0, queries_ok = 0, queries_failed = 0, queries_timed_out = 0;
  std::uint64_t requests_sent = 0, requests_failed = 0, requests_served = 0, requests_refused = 0;
};

class Kad {
 public:
  Kad(PeerId self, KadConfig config, Turn start);
  ~Kad();

  // --- inputs: connections. Exactly on 0 -> 1 and 1 -> 0.
  // `dialed`: the address we reached it at, when we dialled.
  void on_connected(Turn turn, const PeerId& peer, std::optional<Dialable> dialed);
  void on_disconnected(Turn turn, const PeerId& peer);
  // What identify said: whether it serves our protocol, and where it listens.
  void on_identified(Turn turn, const PeerId& peer, bool serves_kad, std::vector<Dialable> addrs);
  // It has no identify (or that failed): our own kad request will tell.
  void on_unidentified(Turn turn, const PeerId& peer);
  // The addresses that we hand out for ourselves (providers, put); never empty entries.
  void on_own_addrs(Turn turn, std::vector<Multiaddr> addrs);
  void on_seed_dialed(Turn turn, const Multiaddr& seed, Result<PeerId> result);
  // The host's network came back or changed: backoffs start over.
  void on_network_changed(Turn turn);

  // --- inputs: requests
  void on_reply(Turn turn, KadRequestId id,
                ByteView message);  // unframed; empty when none was expected
  void on_request_failed(Turn turn, KadRequestId id, const Error& cause);
  // One request of a peer, unframed; answered by one KadReply or KadRefuse. `from_loopback` and the
  // like are the node's business.
  KadInboundId on_request(Turn turn, const PeerId& from, ByteView message);
  void on_stored(Turn turn, KadStoreId id, const StoreResult& result);

  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<KadAction> poll();

  // --- commands; each ends in one KadDone
  KadOp get(Turn turn, Bytes key, Time deadline);
  KadOp put(Turn turn, Bytes key, Bytes value, Time deadline);
  KadOp provide(Turn turn, Bytes multihash, Time deadline);
  KadOp find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline);
  KadOp find_peer(Turn turn, const PeerId& peer, Time deadline);
  KadOp find_closest(Turn turn, Bytes target, Time deadline);
  void cancel(Turn turn, KadOp op);  // Done with Errc::cancelled

  // --- questions
  const KadConfig& config() const;
  BootstrapStatus bootstrap(Time now) const;
  std::vector<TableEntry> table() const;  // by bucket, then by distance
  // One sentence: why the peer is or is not in the table.
  std::string why(const PeerId& peer) const;
  KadStats stats() const;
  // Our bug when it breaks: nothing outstanding once everything is closed.
  bool quiescent() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
