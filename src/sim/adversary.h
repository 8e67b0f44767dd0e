// A node that keeps every rule below the messages and none above: honest transport, muxing and
// identify, and a script that says what it answers in Kademlia and GossipSub, or keeps to itself.
//
//   Adversary liar(world, {.on_request = adversary::answer_with(sybils)});
//   liar.connect(victim);
//
// It is a node of the world like others, and can be frozen, cut off or killed. Others take it for a
// server of their DHT and for a member of their pub/sub; its own Node has neither.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/framing.h"
#include "gossip/wire.h"
#include "kad/key.h"
#include "kad/wire.h"
#include "sim/world.h"

namespace kadmesh {

class Adversary {
 public:
  // Each is called within the adversary's own turn, and may say whatever it likes there.
  struct Script {
    // What goes out upon a request, frame and all, so that it may be a wrong one. Empty: nothing.
    // None: the stream is reset.
    std::function<std::optional<Bytes>(Adversary&, const PeerId& from, const KadMessage& request)>
        on_request{};
    std::function<void(Adversary&, const PeerId& from, const gossip::Rpc&)> on_rpc{};
    // We can say something to the peer's pub/sub.
    std::function<void(Adversary&, const PeerId& peer)> on_pubsub{};
  };

  // `like`: whose protocol ids it claims; what it does with them is the script's. Where the DHT's
  // is empty it is no server.
  Adversary(World& world, Script script, const NodeConfig& like, const NodeOptions& options = {});
  Adversary(World& world, Script script);  // like World::default_config()
  Adversary(const Adversary&) = delete;
  Adversary& operator=(const Adversary&) = delete;

  World& world() { return world_; }
  const World& world() const { return world_; }
  World::Index index() const { return index_; }
  const KeyPair& identity() const { return world_.node(index_).identity(); }
  // As others name it in Kademlia.
  KadPeer self() const;

  void connect(World::Index to);
  std::set<PeerId> connected() const;
  // To one peer's pub/sub; false: no stream to it is open, or it takes no more.
  bool say(const PeerId& to, const gossip::Rpc& rpc);
  bool say_raw(const PeerId& to, ByteView bytes);
  // A request on a stream of its own; the answer is thrown away.
  void ask(const PeerId& to, Bytes framed);

  const std::set<PeerId>& pubsub_peers() const { return pubsub_peers_; }
  // The connection by which say() goes to that peer; none if there is no stream.
  std::optional<ConnectionInfo> pubsub_connection(const PeerId& peer) const;
  std::uint64_t requests() const { return requests_; }
  std::uint64_t rpcs() const { return rpcs_; }

 private:
  struct Inbound {
    PeerId peer;
    bool kad;
    FrameReader frames;
  };

  void on_report(const Report& report);
  void on_opened(const StreamReport& stream);
  void on_readable(StreamKey key);
  void take(StreamKey key, Inbound& in, ByteView message);
  void forget(StreamKey key);
  void refuse(StreamKey key);
  void open_pubsub(const PeerId& peer);
  void write(StreamKey key, ByteView bytes);

  World& world_;
  Script script_;
  std::string kad_;
  std::vector<std::string> meshsub_;
  World::Index index_;
  std::map<StreamKey, Inbound> inbound_;
  std::map<PeerId, StreamKey> pubsub_;
  std::set<PeerId> pubsub_peers_;
  std::uint64_t requests_ = 0, rpcs_ = 0;
};

// Nodes of a world that scripts name to others: by how near they lie to what is asked for, whatever
// anybody's own table has.
class Directory {
 public:
  explicit Directory(const World& world) : world_(world) {}
  void add(World::Index node) { entries_.push_back({KadId::of(world_.peer(node)), node}); }
  // Of those that are up, nearest first.
  std::vector<KadPeer> nearest(ByteView key, std::size_t count) const;

 private:
  struct Entry {
    KadId id;
    World::Index node;
  };
  const World& world_;
  std::vector<Entry> entries_;
};

// Scripts, and parts of scripts.
namespace adversary {

using OnRequest = decltype(Adversary::Script::on_request);

// Takes every request, answers none.
OnRequest silence();
// Resets the stream of every request.
OnRequest refusal();
// Answers as a server of the DHT does who knows these: names the k nearest, says that it keeps what
// it is given, and keeps nothing.
OnRequest deceit(std::shared_ptr<const Directory> names, std::size_t k);
// Whatever is asked: these are closer. As many as a message holds.
OnRequest answer_with(std::vector<KadPeer> closer);
// Whatever value is asked for: this one, under the key that was asked for.
OnRequest forge_value(Bytes value);
// A frame that says it is longer than any may be, and the bytes of it.
OnRequest oversize();
// Bytes that are no message, in a frame that is one.
OnRequest garbage();

// The identities whose ids come closest to the key, out of `tries` that are drawn: a Sybil set.
std::vector<KeyPair> ids_near(std::uint64_t seed, ByteView key, std::size_t count,
                              std::size_t tries);
// Those that take most places in the routing table of whoever has that id: `of_bucket` of each
// bucket, the nearest bucket first; then others that were drawn, as long as there are.
std::vector<KeyPair> ids_around(std::uint64_t seed, const KadId& victim, std::size_t count,
                                std::size_t of_bucket, std::size_t tries);

}  // namespace adversary

}  // namespace kadmesh
