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
// Fields of all levels in one message: as many as fit, for they are passed over one by one and only
// few are kept. An honest answer repeats whatever others said of themselves, in go 500 addresses of
// each, and must not be refused for it.
inline constexpr std::size_t kMostFieldsOnWire = kMostReply / 2;
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
// Sentences kept about peers that left, for why().
inline constexpr std::size_t kMostDepartures = 256;

// --- lookups ------------------------------------------------------------------------------------
// A request unanswered for half its timeout, between these two, no longer counts against alpha: the
// walk goes on around it, and does not wait for it once it has what it was looking for.
// (libtorrent, "short timeout": 2-3 s of UDP; our answers come over connections that are mostly
// open.)
inline constexpr Duration kLeastStall = 200ms;
inline constexpr Duration kStall = 1s;
// Candidates of one walk, those that failed included: bounds memory and a liar's endless closer
// peers. A walk of go's asks some 60.
inline constexpr std::size_t kMostCandidates = 512;
// Disjoint paths of one walk: each has candidates of its own, and alpha is soon shared out.
inline constexpr std::size_t kMostPaths = 16;

// --- timeouts (kad/rtt.h) -----------------------------------------------------------------------
// Of one round trip; the most is KadConfig::request_timeout. RFC 6298 has 1 s, for a repetition
// that costs the network; giving up on a peer costs one peer of twenty.
inline constexpr Duration kLeastTimeout = 500ms;
// The least that a timeout is above the mean: a busy host's pause, however steady it was before.
inline constexpr Duration kBreath = 100ms;
inline constexpr std::int64_t kColdTrips = 4;  // round trips until who was not connected answers
// Answers until all together are taken for an estimate: fewer may come from one corner.
inline constexpr std::uint64_t kLeastSamples = 8;
inline constexpr Duration kMostSample = 60s;         // keeps four deviations far from overflow
inline constexpr std::uint32_t kMostDoublings = 16;  // no bounds are further apart
inline constexpr std::size_t kMostTimed = 4096;      // peers that are remembered, 200 bytes each

// --- operations ---------------------------------------------------------------------------------
inline constexpr std::size_t kMostQueries = 1024;  // at once; one more fails with Errc::limit
inline constexpr Duration kBackgroundDeadline = 30s;

// --- the server ---------------------------------------------------------------------------------
inline constexpr std::size_t kMostInbound = 1024;  // requests that wait for the store
// Of these, those of one network, which must leave room for the others; and writers of one key,
// each another peer: they are served one after another.
inline constexpr std::size_t kMostOfCharge = kMostInbound / 4;
inline constexpr std::size_t kMostInLine = 64;
inline constexpr std::size_t kMostInLines = kMostInbound / 2;  // of all: who only asks waits less
inline constexpr Duration kInboundDeadline = 10s;       // by then a client of go's has given up
inline constexpr std::size_t kMostProvidersOfKey = 64;  // kept; who else comes: provider_set.h
// What a provider said of its addresses holds for so long (go, DefaultProviderAddrTTL); that it
// provides, for provider_ttl.
inline constexpr Duration kProviderAddrTtl = 24h;
// How often the life of a value is halved for being far from here: 48 h are then an hour and a
// half. Who is told that a value is stored must find it.
inline constexpr std::size_t kMostHalvings = 5;

// --- what peers are worth (kad/quality.h) --------------------------------------------------------
inline constexpr std::uint32_t kQualityGain = 8;  // a sample is an eighth of the average
inline constexpr std::uint32_t kLieGain = 2;      // who breaks the protocol is not unlucky
inline constexpr std::uint32_t kBanShare = 8;     // banned is who keeps less than an eighth
inline constexpr std::uint32_t kLeastTried = 3;   // times, before it is kept on disk
inline constexpr Duration kBrisk = 100ms;         // an answer that takes so long is half as quick
inline constexpr Duration kHalfLife = 30min;      // of good names and bad
inline constexpr Duration kQualityInterval = 10min;  // between two saves
inline constexpr Duration kQualityTtl = 14 * 24h;

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
// Of these, kept for who is out of reach: should the network be torn in two, the others are all on
// this side of the rift.
inline constexpr std::size_t kLostPlaces = 8;
inline constexpr std::size_t kMostPoolOfSubnet = 2;  // of a public /24 (IPv6: /48), as in a bucket
// Failures in a row after which a peer leaves the pool, while others could be reached: of those a
// day of merging makes some 16 a place.
inline constexpr std::uint32_t kMostPoolFailures = 8;
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
// Bits of a random key that may be asked for (kad/random_key.h): 16,384 hashes, some 3 ms.
inline constexpr unsigned kMostRandomBits = 14;
// The longest until the rota is looked at: the clock that it goes by may be set.
inline constexpr Duration kRepublishCheck = 15min;
inline constexpr Duration kPendingRetry = 30s;       // while something was never delivered
inline constexpr std::size_t kMostUnsaved = 256;     // rows in memory that the disk did not take
inline constexpr std::size_t kMostPending = 10'000;  // counted as such
inline constexpr std::size_t kMostRepublishing = 4;  // at once
inline constexpr std::size_t kRepublishPage = 64;    // rows
// Slices of the rota are 2^kRotaBits, or fewer where their moments would be closer than the least
// step: 22 h have one in 19 minutes.
inline constexpr unsigned kRotaBits = 6;
inline constexpr Duration kLeastRotaStep = 1s;
// Of a page of keys that we provide, so many together are worth a sweep: it takes some four walks.
inline constexpr std::size_t kLeastSwept = 8;
// 100,000 keys are 1,600 a slice, and each of its region's peers is told of some 800, one by one.
inline constexpr Duration kSweepDeadline = 10min;
inline constexpr Duration kSweepRetry = 15min;   // of what it could not deliver
inline constexpr std::size_t kMostSending = 64;  // peers of a round at once: some may want a dial
// Walks of one region: 40 peers take some four. Ids that were chosen to lie close need many.
inline constexpr std::size_t kMostRegionWalks = 32;
inline constexpr Duration kExpireInterval = 1h;
// Newcomers wait for so long at the most, that not all of their neighbours come at once.
inline constexpr Duration kHandOverDelay = 30s;
inline constexpr std::size_t kMostHandOvers = 64;    // that wait
inline constexpr std::size_t kMostHandedOver = 256;  // newcomers in an interval
inline constexpr Duration kHandOverDeadline = 1min;
// Holders that hand a value over: one may have just lost its way to the newcomer, two may.
inline constexpr std::ptrdiff_t kHandingOver = 3;
inline constexpr Duration kReplicateDeadline = 10min;
// A connected peer that was silent for so long is asked whether it is still there: a few at a time,
// those silent for longest first.
inline constexpr Duration kProbeAfter = 60s;
inline constexpr std::size_t kMostProbes = 4;
// After a sleep or a change of network every link is asked, silent or not, so many at a time.
inline constexpr std::size_t kMostSuspectProbes = 16;

}  // namespace kadmesh
