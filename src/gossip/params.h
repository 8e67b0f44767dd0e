// Bounds of GossipSub that are ours; the protocol's parameters are in GossipConfig.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace kadmesh::gossip {

// --- what a peer may send
inline constexpr std::size_t kMostRpc = 1024 * 1024 + 64 * 1024;  // go's limit, and its framing
inline constexpr std::size_t kMostEncoded =
    kMostRpc - 16;  // a message, framed as an RPC's only one
// Fields in one RPC, of all levels: five IHAVEs of kMostIds, the ids of a busy go node.
inline constexpr std::size_t kMostElements = 25'000;
inline constexpr std::size_t kMostPublishes = 2'000;  // messages in one RPC
inline constexpr std::size_t kMostSubOpts = 500;      // subscription changes in one RPC
inline constexpr std::size_t kMostControls = 500;     // of each kind, in one RPC
inline constexpr std::size_t kMostIds = 5'000;        // in one IHAVE (go sends up to that)
inline constexpr std::size_t kMostIdSize = 256;  // bytes; longer ones are left out. rust has 72
inline constexpr std::size_t kMostTopicName = 512;
inline constexpr std::size_t kMostMessageFields = 64;  // the protocol knows six
// Beyond: not recorded, unless we have joined the topic ourselves.
inline constexpr std::size_t kMostTopicsOfPeer = 256;
inline constexpr std::size_t kMostIHaves = 10;     // of one peer in one heartbeat
inline constexpr std::size_t kMostAsked = 5'000;   // ids, of one peer in one heartbeat
inline constexpr std::size_t kMostServed = 3;      // times one message to one peer
inline constexpr std::size_t kMostMet = 16;        // of those whom one PRUNE names (go)
inline constexpr std::size_t kMostExchanged = 64;  // peers in one PRUNE; go sends 16
// IDONTWANT: RPCs of one peer in one heartbeat, ids in each, and heartbeats that they hold; as go
// reads them, so that we send no more either.
inline constexpr std::size_t kMostDontWants = 1'000;
inline constexpr std::size_t kMostDontWantIds = 10;
inline constexpr std::size_t kDontWantBeats = 3;
// Groups of partial messages: their names in bytes, how many peers may begin (go), how long we
// speak of ours (heartbeats, go).
inline constexpr std::size_t kMostGroupName = 256;
inline constexpr std::size_t kMostGroupsOfTopic = 255;
inline constexpr std::size_t kMostGroupsOfPeer = 8;
inline constexpr std::size_t kGroupBeats = 3;

// --- what we send: rust takes 64 KiB an RPC, of which 16 KiB may be control and subscriptions
inline constexpr std::size_t kMostControlOut = 15 * 1024;

// --- a peer's share of our memory. Forwarded messages stop first, control last.
inline constexpr std::size_t kForwardBudget = 2 * 1024 * 1024;
inline constexpr std::size_t kOwnBudget = 3 * 1024 * 1024;
inline constexpr std::size_t kControlBudget = 4 * 1024 * 1024;
// Waiting for the peer's stream to open for the first time.
inline constexpr std::size_t kEarlyFrames = 256;
inline constexpr std::size_t kEarlyBytes = 1024 * 1024;

// --- what we keep
inline constexpr std::size_t kMostSeen = 200'000;
inline constexpr std::size_t kMostCached = 20'000;  // messages
inline constexpr std::size_t kMostCachedBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kMostBackoffs = 50'000;
// Ids of messages that came by backfill and may yet come by the mesh, which is a matter of seconds:
// all that one operation may bring.
inline constexpr std::size_t kMostBackfilled = 10'000;
inline constexpr std::size_t kMostValidating = 1'024;                  // go's per-topic concurrency
inline constexpr std::size_t kMostValidatingBytes = 64 * 1024 * 1024;  // of data
inline constexpr Duration kValidationTimeout = 10s;
// What an RPC, a topic, an author, a number, a key and a signature add to a message's data, or
// less.
inline constexpr std::size_t kMostAroundData = 2 * 1024;
inline constexpr std::size_t kMostOutboxBytes = 16 * 1024 * 1024;
// Promises that are not due yet: one for each RPC of IHAVE, of which a peer has ten heard a
// heartbeat.
inline constexpr std::size_t kMostPromises = 50'000;
inline constexpr std::size_t kMostAuthors = 20'000;   // of whom the latest sequence number is known
inline constexpr std::size_t kMostRecord = 8 * 1024;  // bytes of a peer's signed record (go)
inline constexpr unsigned kExtensionsAgain = 10;      // behaviour penalty of a second hello (go)
// A GRAFT that comes so soon after a PRUNE is held against the peer twice (go).
inline constexpr Duration kGraftFlood = 10s;
// Ids asked for and not yet come: four peers that promise all they can until kAskAgain. Beyond it a
// peer is still asked for its share, so that those who promise and do not bring keep nobody else
// from repairing; twice as many is the most.
inline constexpr std::size_t kMostAsking = 60'000;
// With so few promised by those who are there, at least a quarter of the most was promised by
// others.
inline constexpr std::size_t kFewPromised = kMostAsking * 3 / 2;
// A peer that told of a message and does not bring it must not keep us from asking the next one,
// while the message is still told of: less than a heartbeat.
inline constexpr Duration kAskAnother = 500ms;
inline constexpr Duration kAskAgain = 3s;     // the same peer (IWANT follow-up)
inline constexpr Duration kMostBackoff = 1h;  // of a peer's own choice (rust's cap)

}  // namespace kadmesh::gossip
