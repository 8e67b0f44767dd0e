// Bounds and intervals of Kademlia that are not a user's to set (those are in kad/config.h), each
// with where it comes from. "go" is go-libp2p-kad-dht, "rust" is rust-libp2p.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace kadmesh {

// --- the wire -----------------------------------------------------------------------------------
// An answer of ours stays below what rust accepts (16 KiB a message, prefix included).
inline constexpr std::size_t kMostAnswer = 16 * 1024 - 64;
// What we accept as an answer: go's has up to 20 peers of 8 KiB each. It could send 4 MiB, and no
// honest answer comes near.
inline constexpr std::size_t kMostReply = 512 * 1024;
// What we accept as a request: a record of the largest size, and room for addresses.
inline constexpr std::size_t kMostRequest = 256 * 1024;
// Fields of all levels in one message: as go packs them, kMostReply bytes of providers have some
// 8,000.
inline constexpr std::size_t kMostFieldsOnWire = 16 * 1024;
inline constexpr std::size_t kMostPeersOnWire = 8192;  // of either list, before any is looked at
inline constexpr std::size_t kMostAddrsOnWire = 128;   // of one peer, before any is looked at
// Kept of one peer. A node has a handful; go's public ones list about ten.
inline constexpr std::size_t kMostAddrs = 16;
// Handed out of one peer: 20 peers of 8 usual addresses take about 4 KiB.
inline constexpr std::size_t kMostAddrsHandedOut = 8;
// One address handed out or heard; webtransport with two certificate hashes has 120 bytes.
inline constexpr std::size_t kMostAddrSize = 256;
inline constexpr std::size_t kMostProviders = 256;  // kept of one answer
// Of the providers that a search wants, one answer brings a quarter; more of it only where the
// others leave room. Otherwise the first liar on the way could end every search with peers it made
// up.
inline constexpr std::size_t kProviderAnswers = 4;

// --- keys ---------------------------------------------------------------------------------------
inline constexpr std::size_t kMostProviderKey = 80;  // go refuses longer ones
inline constexpr std::size_t kMostRecordKey = 512;   // "/ns/" and a multihash have some 50

// --- the routing table --------------------------------------------------------------------------
// Servers that found their bucket full and wait for a place. They only fill in for the departed, so
// a few a bucket serve; the paper's k of them would double the table for nothing.
inline constexpr std::size_t kMostReplacements = 4;
// Failures in a row after which a server leaves. go drops on the first, which empties the table
// when the network of this host hiccups; libtorrent waits for 20.
inline constexpr std::size_t kMostFailures = 3;
// Servers of one bucket from one public /24 (IPv6: /48): a Sybil must own networks, not just ids.
// go has 2 a bucket as well. Private and loopback addresses are exempt: they are one site.
inline constexpr std::size_t kMostOfSubnet = 2;
// Sentences kept about peers that left, for why().
inline constexpr std::size_t kMostDepartures = 256;

// --- lookups ------------------------------------------------------------------------------------
// A request unanswered for so long no longer counts against alpha: the walk goes on around it, and
// does not wait for it once it has what it was looking for. (libtorrent, "short timeout": 2-3 s of
// UDP; our answers come over connections that are mostly open.)
inline constexpr Duration kStall = 1s;
// Candidates of one walk, those that failed included: bounds memory and a liar's endless closer
// peers. A walk of go's asks some 60.
inline constexpr std::size_t kMostCandidates = 512;

// --- operations ---------------------------------------------------------------------------------
inline constexpr std::size_t kMostQueries = 1024;  // at once; one more fails with Errc::limit
inline constexpr Duration kBackgroundDeadline = 30s;

// --- the server ---------------------------------------------------------------------------------
inline constexpr std::size_t kMostInbound = 1024;       // requests that wait for the store
inline constexpr Duration kInboundDeadline = 10s;       // by then a client of go's has given up
inline constexpr std::size_t kMostProvidersOfKey = 64;  // kept; a newcomer displaces nobody

// --- bootstrap ----------------------------------------------------------------------------------
inline constexpr std::size_t kWantedLive = 4;  // below it, seeds and lost peers are dialed
inline constexpr std::size_t kMostDials = 4;   // of bootstrap, at once
inline constexpr Duration kDialDeadline = 10s;
inline constexpr Duration kDialGrace = 1s;  // until its answer is missed
// Wait after a failed dial: drawn from (0, ceiling], the ceiling being an eighth of the outage.
inline constexpr Duration kLeastDialBackoff = 1s;
inline constexpr Duration kMostDialBackoff = 5min;
inline constexpr std::int64_t kBackoffShare = 8;
// Peers that worked are tried once seeds had this long.
inline constexpr Duration kPoolPatience = 1s;
inline constexpr std::size_t kMostPool = 32;
inline constexpr Duration kPoolTtl = 14 * 24h;
inline constexpr Duration kPoolRefresh = 24h;     // a row is written again when it is so old
inline constexpr std::size_t kMostPoolAddrs = 4;  // of one peer

// --- upkeep -------------------------------------------------------------------------------------
// After joining, a lookup of our own id; again after this, then ever later up to the refresh
// interval: who joined in the same second was not yet to be found.
inline constexpr Duration kFirstSelfLookup = 2s;
inline constexpr Duration kFirstBucketRefresh = 10s;  // after joining
// Deepest bucket that is refreshed by a random key; a key for depth d costs 2^(d+1) hashes.
// Nearer ones are what the lookup of our own id fills.
inline constexpr unsigned kMostRefreshDepth = 10;
// How often what is ours is looked through for what is due.
inline constexpr Duration kRepublishCheck = 15min;
inline constexpr Duration kPendingRetry = 30s;        // while something was never delivered
inline constexpr std::size_t kMostPending = 10'000;   // counted as such
inline constexpr std::size_t kMostRepublishing = 4;   // at once
inline constexpr std::size_t kRepublishPage = 64;     // rows of one Scan
inline constexpr std::int64_t kRepublishJitter = 10;  // up to a tenth of the interval earlier
inline constexpr Duration kExpireInterval = 1h;
// A connected peer that was silent for so long is asked whether it is still there.
inline constexpr Duration kProbeAfter = 60s;

}  // namespace kadmesh
