// The fields of every value that goes into a node or comes out of it, so that each can be written,
// read and printed by one walk (encode.h, decode.h, print.h).
//
// Nothing can be forgotten: a binding names every field of its type or does not compile, and a type
// without a line here does not compile where it is walked.
#pragma once

#include <concepts>
#include <string_view>

#include "node/input.h"

namespace kadmesh {

template <class T>
struct Fields;  // kName; kNames, as listed; of(value, f): f(each field)

template <class T>
concept HasFields = requires { Fields<T>::kName; };

#define KADMESH_FIELDS(Type, ...)                            \
  template <>                                                \
  struct Fields<Type> {                                      \
    static constexpr std::string_view kName = #Type;         \
    static constexpr std::string_view kNames = #__VA_ARGS__; \
    template <class T, class F>                              \
    static decltype(auto) of(T& value_, F&& f_) {            \
      auto& [__VA_ARGS__] = value_;                          \
      return f_(__VA_ARGS__);                                \
    }                                                        \
  }
#define KADMESH_NO_FIELDS(Type)                      \
  template <>                                        \
  struct Fields<Type> {                              \
    static_assert(std::is_empty_v<Type>);            \
    static constexpr std::string_view kName = #Type; \
    static constexpr std::string_view kNames{};      \
    template <class T, class F>                      \
    static decltype(auto) of(T&, F&& f_) {           \
      return f_();                                   \
    }                                                \
  }

// --- parts of the others
KADMESH_FIELDS(Error, code, detail);
KADMESH_FIELDS(Endpoint, host, v6, port);
KADMESH_FIELDS(StreamKey, conn, stream);
KADMESH_FIELDS(Contact, peer, addrs);
KADMESH_FIELDS(Row, kind, key, member, value, received, expires, place, charge);

KADMESH_FIELDS(WalkOptions, trace, quorum);

// --- inputs
KADMESH_FIELDS(input::Listening, id, addrs);
KADMESH_FIELDS(input::ListenFailed, id, cause);
KADMESH_FIELDS(input::AddrsChanged, id, addrs);
KADMESH_FIELDS(input::Accepted, local, remote);
KADMESH_FIELDS(input::Dialed, id, local);
KADMESH_FIELDS(input::DialFailed, id, cause);
KADMESH_FIELDS(input::Received, id, bytes);
KADMESH_FIELDS(input::Written, id, count);
KADMESH_FIELDS(input::Closed, id, cause);
KADMESH_FIELDS(input::Stored, id, result);
KADMESH_NO_FIELDS(input::Timer);
KADMESH_FIELDS(input::DriverNotice, what);
KADMESH_FIELDS(input::Listen, at);
KADMESH_FIELDS(input::StopListening, id);
KADMESH_FIELDS(input::ConnectAddr, addr, deadline);
KADMESH_FIELDS(input::ConnectPeer, peer, deadline);
KADMESH_FIELDS(input::Disconnect, peer);
KADMESH_FIELDS(input::Ping, peer, deadline);
KADMESH_FIELDS(input::Put, key, value, deadline, walk);
KADMESH_FIELDS(input::Get, key, deadline, walk);
KADMESH_FIELDS(input::Provide, multihash, deadline, walk);
KADMESH_FIELDS(input::FindProviders, multihash, most, deadline, walk);
KADMESH_FIELDS(input::FindPeer, peer, deadline, walk);
KADMESH_FIELDS(input::AwaitReady, live, deadline);
KADMESH_FIELDS(input::OpenStream, peer, protocols, first, deadline);
KADMESH_FIELDS(input::Cancel, op);
KADMESH_FIELDS(input::Subscribe, topic, parts);
KADMESH_FIELDS(PartialUse, requests, supports);
KADMESH_FIELDS(input::Unsubscribe, topic);
KADMESH_FIELDS(input::Publish, topic, data);
KADMESH_FIELDS(input::Judge, id, verdict);
KADMESH_FIELDS(input::Serve, protocol);
KADMESH_FIELDS(input::StopServing, protocol);
KADMESH_FIELDS(input::Write, key, bytes);
KADMESH_FIELDS(input::Consumed, key, count);
KADMESH_FIELDS(input::Finish, key);
KADMESH_FIELDS(input::Reset, key, code);
KADMESH_FIELDS(input::Release, key);
KADMESH_NO_FIELDS(input::Shutdown);
KADMESH_FIELDS(input::FindClosest, target, deadline, walk);
KADMESH_FIELDS(input::Reachability, reachable);
KADMESH_FIELDS(input::SendPartial, peer, parts);
KADMESH_FIELDS(input::ScorePeer, peer, score);
KADMESH_FIELDS(PartialMessage, topic, group, message, metadata);
KADMESH_FIELDS(BackfillRange, after, most);
KADMESH_FIELDS(input::Backfill, peer, topic, deadline, range);
KADMESH_FIELDS(BackfillPage, messages, next, more, gap);
KADMESH_FIELDS(input::TellBackfill, id, page);

// --- answers
KADMESH_NO_FIELDS(std::monostate);
KADMESH_FIELDS(Receipt, id, waiting, peers);
KADMESH_FIELDS(Receipt::Peer, peer, sent, mesh);

// --- actions
KADMESH_FIELDS(DialPipe, id, to);
KADMESH_FIELDS(WritePipe, id, bytes, form);
KADMESH_FIELDS(ReadPipe, id, wanted);
KADMESH_FIELDS(ClosePipe, id, abort);
KADMESH_FIELDS(KeyLogLine, line);
KADMESH_FIELDS(ListenPipe, id, at);
KADMESH_FIELDS(StopListening, id);
KADMESH_FIELDS(StoreOp, id, request);
KADMESH_FIELDS(Load, kind, key);
KADMESH_FIELDS(Save, row, home, seen);
KADMESH_FIELDS(Erase, kind, key, member, value);
KADMESH_FIELDS(Scan, kind, after_key, after_member, most);
KADMESH_FIELDS(Expire, latest);
KADMESH_FIELDS(Near, kind, from, to, after_key, after_member, most);

// --- actions: reports
KADMESH_FIELDS(OpDone, op, result);
KADMESH_FIELDS(ConnectReport, peer, conn, remote, already);
KADMESH_FIELDS(PingReport, peer, rtt);
KADMESH_FIELDS(StreamReport, key, peer, protocol);
KADMESH_FIELDS(ReadyReport, live);
KADMESH_FIELDS(BackfillReport, peer, topic, pages, told, taken, duplicates, bytes, next, complete,
               gap);
KADMESH_FIELDS(Walk, asked, answered, failed, hops, complete, took);
KADMESH_FIELDS(GetReport, key, value, copies, local, walk);
KADMESH_FIELDS(PutReport, key, stored_locally, pending, contacted, acknowledged, closest, walk);
KADMESH_FIELDS(ProvideReport, key, stored_locally, pending, contacted, closest, walk);
KADMESH_FIELDS(ProvidersReport, key, providers, walk);
KADMESH_FIELDS(FindReport, found, connected, walk);
KADMESH_FIELDS(ClosestReport, target, closest, walk);
KADMESH_FIELDS(ProviderFound, op, provider);
KADMESH_FIELDS(StepTaken, op, step);
KADMESH_FIELDS(WalkStep, what, when, peer, shared, from, question, cause);
KADMESH_FIELDS(PeerConnected, peer, remote, opened_by_us);
KADMESH_FIELDS(PeerDisconnected, peer, cause);
KADMESH_FIELDS(PeerIdentified, peer, pushed);
KADMESH_FIELDS(MessageDelivered, delivery);
KADMESH_FIELDS(GossipDeliver, received_from, message, id, backfilled);
KADMESH_FIELDS(GossipMessage, from, data, seqno, topic);
KADMESH_FIELDS(MessageToValidate, validation);
KADMESH_FIELDS(GossipValidate, id, received_from, message, deadline);
KADMESH_FIELDS(PartsArrived, parts);
KADMESH_FIELDS(GossipPart, from, parts);
KADMESH_FIELDS(PartsWanted, offer);
KADMESH_FIELDS(GossipOffer, topic, group, peers);
KADMESH_FIELDS(MessageToKeep, message);
KADMESH_FIELDS(GossipKeep, topic, id, message);
KADMESH_FIELDS(GossipTraced, when, event);
KADMESH_FIELDS(TracedMessage, id, topic);
KADMESH_FIELDS(TracedSubscription, subscribe, topic);
KADMESH_FIELDS(TracedIHave, topic, ids);
KADMESH_FIELDS(TracedPrune, topic, peers);
KADMESH_FIELDS(TracedRpc, messages, subscriptions, ihave, iwant, graft, prune, idontwant);
KADMESH_FIELDS(traced::Published, id, topic);
KADMESH_FIELDS(traced::Rejected, id, from, reason, topic);
KADMESH_FIELDS(traced::Duplicate, id, from, topic);
KADMESH_FIELDS(traced::Delivered, id, topic, from);
KADMESH_FIELDS(traced::StreamOpened, peer, protocol);
KADMESH_FIELDS(traced::StreamClosed, peer);
KADMESH_FIELDS(traced::RpcReceived, peer, rpc);
KADMESH_FIELDS(traced::RpcSent, peer, rpc);
KADMESH_FIELDS(traced::RpcDropped, peer, rpc);
KADMESH_FIELDS(traced::Joined, topic);
KADMESH_FIELDS(traced::Left, topic);
KADMESH_FIELDS(traced::Grafted, peer, topic);
KADMESH_FIELDS(traced::Pruned, peer, topic);
KADMESH_FIELDS(BackfillWanted, question);
KADMESH_FIELDS(BackfillAsked, id, peer, question, deadline);
KADMESH_FIELDS(BackfillQuestion, topic, after, most_messages, most_bytes);
KADMESH_FIELDS(StreamIncoming, key, peer, protocol);
KADMESH_FIELDS(StreamReadable, key);
KADMESH_FIELDS(StreamWritable, key);
KADMESH_FIELDS(StreamFinished, key);
KADMESH_FIELDS(StreamReset, key, cause);
KADMESH_FIELDS(BootstrapChanged, status);
KADMESH_FIELDS(BootstrapStatus, state, live, attempts, next_attempt, last_failure);
KADMESH_FIELDS(Listening, id, addrs);
KADMESH_FIELDS(ListenFailed, id, cause);
KADMESH_FIELDS(Notice, level, area, peer, what);

// --- configuration
KADMESH_FIELDS(NodeConfig, swarm, kad, gossip, backfill, identify, ping, signatures, agent,
               protocol_version);
KADMESH_FIELDS(SwarmConfig, limits, open_timeout, idle_timeout, stream_timeout, early_muxer, keylog,
               security, noise_luck, plain_forms);
KADMESH_FIELDS(SwarmLimits, connections, connections_per_peer, opening_inbound, accept_burst,
               accept_interval, dial_jobs, dialing);
KADMESH_FIELDS(KadConfig, protocol, mode, k, alpha, beta, kept_of_bucket, paths, request_timeout,
               adaptive, reuse_streams, quality, health_interval, refresh_interval, record_ttl,
               provider_ttl, providers, republish_interval, replicate_interval, most_value, seeds,
               validators, scope, diversity, policies);
KADMESH_FIELDS(DiversityLimits, of_bucket, of_table, exempt);
KADMESH_FIELDS(SubnetRange, first, bits);
KADMESH_FIELDS(Subnet, v6, prefix);
KADMESH_FIELDS(KadPolicies, metric, termination, ordering, eviction, replacement);
KADMESH_FIELDS(GossipConfig, protocols, d, d_lo, d_hi, d_lazy, d_out, d_score,
               gossip_factor_percent, history_windows, gossip_windows, heartbeat,
               heartbeat_initial_delay, fanout_ttl, seen_ttl, prune_backoff, unsubscribe_backoff,
               flood_publish, idontwant_size, opportunistic_beats, opportunistic_peers, direct,
               direct_recheck, exchange_peers, partial_messages, scoring, topic_filter, policy,
               message_id, message_ids, rising_seqnos, most_message, signatures, validator,
               manual_validation, outbox, outbox_ttl, keeps, trace);

KADMESH_FIELDS(Scoring, params, thresholds);
KADMESH_FIELDS(ScoreParams, topics, default_topic, topic_score_cap, application_weight,
               colocation_weight, colocation_threshold, colocation_allowed, behaviour_weight,
               behaviour_threshold, behaviour_decay, slow_weight, slow_threshold, slow_decay,
               decay_interval, decay_to_zero, retain, silence_may_pay);
KADMESH_FIELDS(TopicScoreParams, weight, time_in_mesh_weight, time_in_mesh_quantum,
               time_in_mesh_cap, first_deliveries_weight, first_deliveries_decay,
               first_deliveries_cap, mesh_deliveries_weight, mesh_deliveries_decay,
               mesh_deliveries_cap, mesh_deliveries_threshold, mesh_deliveries_window,
               mesh_deliveries_activation, mesh_failure_weight, mesh_failure_decay, invalid_weight,
               invalid_decay);
KADMESH_FIELDS(ScoreThresholds, gossip, publish, graylist, accept_px, opportunistic_graft);
KADMESH_FIELDS(BackfillConfig, protocol, keep, topic_messages, topic_bytes, bytes, age,
               per_question, per_kib, burst);

#undef KADMESH_FIELDS
#undef KADMESH_NO_FIELDS

// --- numbers that are not any number: the last of each enumeration that inputs hold
template <class E>
inline constexpr E kLast;
template <>
inline constexpr Errc kLast<Errc> = Errc::io;
template <>
inline constexpr Kind kLast<Kind> = Kind::meta;
template <>
inline constexpr KadMode kLast<KadMode> = KadMode::automatic;
template <>
inline constexpr ProviderPolicy kLast<ProviderPolicy> = ProviderPolicy::fair;
template <>
inline constexpr Verdict kLast<Verdict> = Verdict::ignore;
template <>
inline constexpr Scope kLast<Scope> = Scope::lan;
template <>
inline constexpr SignaturePolicy kLast<SignaturePolicy> = SignaturePolicy::strict_no_sign;
template <>
inline constexpr Keep kLast<Keep> = Keep::by_application;
template <>
inline constexpr Security kLast<Security> = Security::replay;

// Enumerations of 64 bits are ids, and take any value.
template <class E>
concept IdType = std::is_enum_v<E> && sizeof(E) == sizeof(std::uint64_t);

}  // namespace kadmesh
