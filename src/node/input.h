// Every input and every command of a Node as a value: what drives a node by these alone can write
// down what it did, and do it again. A method of Node that takes a Turn has exactly one of them.
//
//   auto op = input::Ping{peer, deadline}.apply(node, turn);   // what node.ping(...) answers
//
// Views are borrowed for the call, as in node.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "node/node.h"

namespace kadmesh {
namespace input {

// --- from the driver
struct Listening {
  ListenId id;
  std::vector<Multiaddr> addrs;
  void apply(Node& node, Turn t) { node.on_listening(t, id, std::move(addrs)); }
};
struct ListenFailed {
  ListenId id;
  Error cause;
  void apply(Node& node, Turn t) { node.on_listen_failed(t, id, cause); }
};
struct AddrsChanged {
  ListenId id;
  std::vector<Multiaddr> addrs;
  void apply(Node& node, Turn t) { node.on_addrs_changed(t, id, std::move(addrs)); }
};
struct Accepted {
  Endpoint local, remote;
  ConnId apply(Node& node, Turn t) { return node.on_accepted(t, local, remote); }
};
struct Dialed {
  ConnId id;
  Endpoint local;
  void apply(Node& node, Turn t) { node.on_dialed(t, id, local); }
};
struct DialFailed {
  ConnId id;
  Error cause;
  void apply(Node& node, Turn t) { node.on_dial_failed(t, id, cause); }
};
struct Received {
  ConnId id;
  ByteView bytes;
  void apply(Node& node, Turn t) { node.on_bytes(t, id, bytes); }
};
struct Written {
  ConnId id;
  std::size_t count;
  void apply(Node& node, Turn t) { node.on_written(t, id, count); }
};
struct Closed {
  ConnId id;
  Error cause;
  void apply(Node& node, Turn t) { node.on_closed(t, id, cause); }
};
struct Stored {
  StoreOpId id;
  StoreResult result;
  void apply(Node& node, Turn t) { node.on_stored(t, id, result); }
};
struct Timer {
  void apply(Node& node, Turn t) { node.on_timer(t); }
};
struct DriverNotice {
  Error what;
  void apply(Node& node, Turn t) { node.on_driver_notice(t, std::move(what)); }
};

// --- commands
struct Listen {
  Endpoint at;
  ListenId apply(Node& node, Turn t) { return node.listen(t, at); }
};
struct StopListening {
  ListenId id;
  void apply(Node& node, Turn t) { node.stop_listening(t, id); }
};
struct ConnectAddr {
  Multiaddr addr;
  Time deadline;
  OpId apply(Node& node, Turn t) { return node.connect(t, addr, deadline); }
};
struct ConnectPeer {
  PeerId peer;
  Time deadline;
  OpId apply(Node& node, Turn t) { return node.connect(t, peer, deadline); }
};
struct Reachability {
  bool reachable;
  void apply(Node& node, Turn t) { node.on_reachability(t, reachable); }
};
struct Disconnect {
  PeerId peer;
  void apply(Node& node, Turn t) { node.disconnect(t, peer); }
};
struct Ping {
  PeerId peer;
  Time deadline;
  OpId apply(Node& node, Turn t) { return node.ping(t, peer, deadline); }
};
struct Put {
  Bytes key, value;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) {
    return node.put(t, std::move(key), std::move(value), deadline, walk);
  }
};
struct Get {
  Bytes key;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) { return node.get(t, std::move(key), deadline, walk); }
};
struct Provide {
  Bytes multihash;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) { return node.provide(t, std::move(multihash), deadline, walk); }
};
struct FindProviders {
  Bytes multihash;
  std::size_t most;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) {
    return node.find_providers(t, std::move(multihash), most, deadline, walk);
  }
};
struct FindPeer {
  PeerId peer;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) { return node.find_peer(t, peer, deadline, walk); }
};
struct FindClosest {
  Bytes target;
  Time deadline;
  WalkOptions walk{};
  OpId apply(Node& node, Turn t) { return node.find_closest(t, std::move(target), deadline, walk); }
};
struct AwaitReady {
  std::size_t live;
  Time deadline;
  OpId apply(Node& node, Turn t) { return node.await_ready(t, live, deadline); }
};
struct OpenStream {
  PeerId peer;
  std::vector<std::string> protocols;
  Bytes first;
  Time deadline;
  OpId apply(Node& node, Turn t) {
    return node.open_stream(t, peer, std::move(protocols), deadline, std::move(first));
  }
};
struct Cancel {
  OpId op;
  void apply(Node& node, Turn t) { node.cancel(t, op); }
};

struct Subscribe {
  Topic topic;
  PartialUse parts{};
  Result<void> apply(Node& node, Turn t) { return node.subscribe(t, topic, parts); }
};
struct Unsubscribe {
  Topic topic;
  void apply(Node& node, Turn t) { node.unsubscribe(t, topic); }
};
struct Publish {
  Topic topic;
  Bytes data;
  Result<Receipt> apply(Node& node, Turn t) { return node.publish(t, topic, std::move(data)); }
};
struct SendPartial {
  PeerId peer;
  PartialMessage parts;
  Result<Sent> apply(Node& node, Turn t) { return node.send_partial(t, peer, std::move(parts)); }
};
struct ScorePeer {
  PeerId peer;
  double score;
  Result<void> apply(Node& node, Turn t) { return node.set_application_score(t, peer, score); }
};
struct Judge {
  ValidationId id;
  Verdict verdict;
  void apply(Node& node, Turn t) { node.verdict(t, id, verdict); }
};

struct Backfill {
  PeerId peer;
  Topic topic;
  Time deadline;
  BackfillRange range{};
  OpId apply(Node& node, Turn t) {
    return node.backfill(t, peer, std::move(topic), deadline, std::move(range));
  }
};
struct TellBackfill {
  BackfillId id;
  Result<BackfillPage> page;
  Result<void> apply(Node& node, Turn t) { return node.tell_backfill(t, id, std::move(page)); }
};

struct Serve {
  std::string protocol;
  void apply(Node& node, Turn t) { node.serve(t, std::move(protocol)); }
};
struct StopServing {
  std::string protocol;
  void apply(Node& node, Turn t) { node.stop_serving(t, protocol); }
};
struct Write {
  StreamKey key;
  ByteView bytes;
  std::size_t apply(Node& node, Turn t) { return node.write(t, key, bytes); }
};
struct Consumed {
  StreamKey key;
  std::size_t count;
  void apply(Node& node, Turn t) { node.consumed(t, key, count); }
};
struct Finish {
  StreamKey key;
  void apply(Node& node, Turn t) { node.finish(t, key); }
};
struct Reset {
  StreamKey key;
  std::uint32_t code;
  void apply(Node& node, Turn t) { node.reset(t, key, code); }
};
struct Release {
  StreamKey key;
  void apply(Node& node, Turn t) { node.release(t, key); }
};
struct Shutdown {
  void apply(Node& node, Turn t) { node.shutdown(t); }
};

}  // namespace input

// Captures name an input by its place here: new ones go to the end.
using NodeInput =
    std::variant<input::Listening, input::ListenFailed, input::AddrsChanged, input::Accepted,
                 input::Dialed, input::DialFailed, input::Received, input::Written, input::Closed,
                 input::Stored, input::Timer, input::DriverNotice, input::Listen,
                 input::StopListening, input::ConnectAddr, input::ConnectPeer, input::Disconnect,
                 input::Ping, input::Put, input::Get, input::Provide, input::FindProviders,
                 input::FindPeer, input::AwaitReady, input::OpenStream, input::Cancel,
                 input::Subscribe, input::Unsubscribe, input::Publish, input::Judge, input::Serve,
                 input::StopServing, input::Write, input::Consumed, input::Finish, input::Reset,
                 input::Release, input::Shutdown, input::FindClosest, input::Reachability,
                 input::SendPartial, input::ScorePeer, input::Backfill, input::TellBackfill>;

// Those that end in one OpDone, by their `deadline`.
using Operation =
    std::variant<input::ConnectAddr, input::ConnectPeer, input::Ping, input::Put, input::Get,
                 input::Provide, input::FindProviders, input::FindPeer, input::FindClosest,
                 input::AwaitReady, input::OpenStream, input::Backfill>;

// What a method of Node returned.
using NodeAnswer = std::variant<std::monostate, ConnId, ListenId, OpId, std::size_t, Result<void>,
                                Result<Receipt>, Result<Sent>>;

NodeAnswer apply(Node& node, Turn turn, NodeInput input);

}  // namespace kadmesh
