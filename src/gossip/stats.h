// What one router has done and holds, in numbers. Counters begin at 0 with the router and only
// grow, those of a topic with the topic; the rest is as it is at this moment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/histogram.h"

namespace kadmesh {

// Why a message that was not here before went no further.
enum class Refusal : std::uint8_t {
  unreadable,  // no protobuf, or without a topic: it counts for none
  signature,   // none where there must be one, or the reverse; or one that does not hold
  too_large,
  no_room,     // too many wait for their verdict
  old_number,  // with GossipConfig::rising_seqnos
  rejected,    // by a validator
  ignored,     // by a validator, or because nobody judged it in time
};
inline constexpr std::size_t kRefusals = 7;
// As go-libp2p-pubsub's traces name it, where they do: "invalid signature"
const char* text(Refusal why);
// Its verdict is reject; of the others it is ignore.
bool is_fault(Refusal why);

// The parts of RPCs that are counted.
enum class RpcPart : std::uint8_t {
  publish,
  subscribe,
  unsubscribe,
  graft,
  prune,
  ihave,
  iwant,
  idontwant,
};
inline constexpr std::size_t kRpcParts = 8;
const char* text(RpcPart part);
using RpcCounts = std::array<std::uint64_t, kRpcParts>;

// What peers are penalised for, besides what the topics' parameters make of their deliveries.
enum class Penalty : std::uint8_t {
  graft_backoff,    // a GRAFT while a backoff stands
  broken_promise,   // an IHAVE, and nothing after our IWANT
  extensions,       // said twice
  invalid_message,  // a signature or a verdict
  slow_peer,        // frames to it were dropped
};
inline constexpr std::size_t kPenalties = 5;
const char* text(Penalty penalty);

struct TopicStats {
  // Messages. What is published where we neither subscribe nor know of anybody counts for no topic.
  std::uint64_t published = 0, delivered = 0, duplicates = 0;
  std::array<std::uint64_t, kRefusals> refused{};  // by Refusal
  // What was to be said of it, whether or not peers took it; iwant: the IHAVEs that made us ask.
  std::uint64_t grafts = 0, prunes = 0, ihave = 0, iwant = 0, idontwant = 0;
};

struct GossipStats {
  std::size_t peers = 0, topics = 0, seen = 0, cached = 0, validating = 0, backoffs = 0, outbox = 0,
              asking = 0;  // ids asked for by IWANT and not yet come
  // Connected peers whose score is below zero, and the lowest of them; 0 without any.
  std::size_t below_zero = 0;
  double lowest_score = 0;
  std::uint64_t delivered = 0, duplicates = 0, published = 0, forwarded = 0, rejected = 0,
                ignored = 0,
                unjudged = 0,  // there was no room for it to wait for its verdict
      dropped = 0,             // frames
      ihave_sent = 0, iwant_sent = 0, iwant_served = 0, grafts = 0, prunes = 0, rpcs_in = 0,
                rpcs_out = 0, idontwant_sent = 0, idontwant_got = 0,
                graylisted = 0,       // RPCs of which nothing but subscriptions was taken
      not_wanted = 0,                 // not sent because the peer said IDONTWANT
      slowed = 0;                     // times that a peer began to take too little
  RpcCounts parts_in{}, parts_out{};  // by RpcPart
  std::array<std::uint64_t, kPenalties> penalties{};  // by Penalty
  Histogram delay_ms;  // from the arrival of what was delivered to its delivery
};

}  // namespace kadmesh
