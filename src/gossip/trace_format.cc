#include "gossip/trace_format.h"

#include <cstdint>
#include <string_view>

#include "base/utf8.h"
#include "base/varint.h"

namespace kadmesh {
namespace {

// --- writers of one message each, with the same verbs. A field is a number to one and a name to
// the other.
class Protobuf {
 public:
  void number(unsigned field, std::string_view, std::uint64_t value) {
    put_varint(out_, field << 3);
    put_varint(out_, value);
  }
  void boolean(unsigned field, std::string_view name, bool value) { number(field, name, value); }
  void bytes(unsigned field, std::string_view, ByteView value) {
    put_varint(out_, field << 3 | 2U);
    put_varint(out_, value.size());
    append(out_, value);
  }
  void text(unsigned field, std::string_view name, std::string_view value) {
    bytes(field, name, as_bytes(value));
  }
  template <class Fill>
  void message(unsigned field, std::string_view name, Fill fill) {
    Protobuf inner;
    fill(inner);
    bytes(field, name, inner.out_);
  }
  template <class Items, class Fill>
  void messages(unsigned field, std::string_view name, const Items& items, Fill fill) {
    for (const auto& item : items)
      message(field, name, [&](Protobuf& inner) { fill(inner, item); });
  }
  template <class Items, class View>
  void list(unsigned field, std::string_view name, const Items& items, View view) {
    for (const auto& item : items) bytes(field, name, view(item));
  }
  const Bytes& written() const { return out_; }

 private:
  Bytes out_;
};

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, padded: what Go makes of bytes.
std::string base64(ByteView bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t taken = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < taken ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= taken ? kBase64[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\')
      out.append("\\").push_back(c);
    else if (byte < 0x20)
      out.append("\\u00").append({kDigits[byte >> 4], kDigits[byte & 15]});
    else
      out.push_back(c);
  }
  return out + '"';
}

class Json {
 public:
  void number(unsigned, std::string_view name, std::uint64_t value) {
    say(name, std::to_string(value));
  }
  void boolean(unsigned, std::string_view name, bool value) { say(name, value ? "true" : "false"); }
  void bytes(unsigned, std::string_view name, ByteView value) { say(name, quoted(base64(value))); }
  void text(unsigned, std::string_view name, std::string_view value) {
    say(name, quoted(to_utf8(value)));
  }
  template <class Fill>
  void message(unsigned, std::string_view name, Fill fill) {
    say(name, object([&](Json& inner) { fill(inner); }));
  }
  template <class Items, class Fill>
  void messages(unsigned, std::string_view name, const Items& items, Fill fill) {
    array(name, items,
          [&](const auto& item) { return object([&](Json& inner) { fill(inner, item); }); });
  }
  template <class Items, class View>
  void list(unsigned, std::string_view name, const Items& items, View view) {
    array(name, items, [&](const auto& item) { return quoted(base64(view(item))); });
  }
  template <class Fill>
  static std::string object(Fill fill) {
    Json inner;
    fill(inner);
    return inner.out_ + '}';
  }

 private:
  void say(std::string_view name, std::string_view value) {
    if (out_.size() > 1) out_ += ',';
    out_.append(quoted(name)).append(":").append(value);
  }
  // None: left out, as Go leaves it out.
  template <class Items, class Text>
  void array(std::string_view name, const Items& items, Text text) {
    if (items.empty()) return;
    std::string all;
    for (const auto& item : items) all += (all.empty() ? '[' : ',') + text(item);
    say(name, all + ']');
  }

  std::string out_ = "{";
};

// --- what an event says
ByteView bytes_of(const PeerId& peer) { return peer.bytes(); }
ByteView bytes_of(const MessageId& id) { return id; }
constexpr auto kBytesOf = [](const auto& id) { return bytes_of(id); };

template <class Out>
void say_control(Out& out, const TracedRpc& rpc) {
  out.messages(1, "ihave", rpc.ihave, [](Out& to, const TracedIHave& have) {
    to.text(1, "topic", have.topic);
    to.list(2, "messageIDs", have.ids, kBytesOf);
  });
  if (!rpc.iwant.empty())
    out.messages(2, "iwant", std::span(&rpc.iwant, 1),
                 [](Out& to, const auto& ids) { to.list(1, "messageIDs", ids, kBytesOf); });
  out.messages(3, "graft", rpc.graft,
               [](Out& to, const Topic& topic) { to.text(1, "topic", topic); });
  out.messages(4, "prune", rpc.prune, [](Out& to, const TracedPrune& prune) {
    to.text(1, "topic", prune.topic);
    to.list(2, "peers", prune.peers, kBytesOf);
  });
  if (!rpc.idontwant.empty())
    out.messages(5, "idontwant", std::span(&rpc.idontwant, 1),
                 [](Out& to, const auto& ids) { to.list(1, "messageIDs", ids, kBytesOf); });
}

bool has_control(const TracedRpc& rpc) {
  return !(rpc.ihave.empty() && rpc.iwant.empty() && rpc.graft.empty() && rpc.prune.empty() &&
           rpc.idontwant.empty());
}

template <class Out>
void say_rpc(Out& out, std::string_view peer_name, const PeerId& peer, const TracedRpc& rpc) {
  out.bytes(1, peer_name, peer.bytes());
  out.message(2, "meta", [&](Out& meta) {
    meta.messages(1, "messages", rpc.messages, [](Out& to, const TracedMessage& message) {
      to.bytes(1, "messageID", message.id);
      to.text(2, "topic", message.topic);
    });
    meta.messages(2, "subscription", rpc.subscriptions,
                  [](Out& to, const TracedSubscription& change) {
                    to.boolean(1, "subscribe", change.subscribe);
                    to.text(2, "topic", change.topic);
                  });
    if (has_control(rpc)) meta.message(3, "control", [&](Out& to) { say_control(to, rpc); });
  });
}

// The name of an event's own part, whose field number is its type and 4.
constexpr std::string_view kParts[] = {"publishMessage",
                                       "rejectMessage",
                                       "duplicateMessage",
                                       "deliverMessage",
                                       "onNewOutboundStream",
                                       "onClosedOutboundStream",
                                       "recvRPC",
                                       "sendRPC",
                                       "dropRPC",
                                       "join",
                                       "leave",
                                       "graft",
                                       "prune"};
static_assert(std::size(kParts) == std::variant_size_v<TraceEvent>);

template <class Out>
struct Body {
  Out& out;

  void operator()(const traced::Published& event) {
    out.bytes(1, "messageID", event.id);
    out.text(2, "topic", event.topic);
  }
  void operator()(const traced::Rejected& event) {
    out.bytes(1, "messageID", event.id);
    out.bytes(2, "receivedFrom", event.from.bytes());
    out.text(3, "reason", event.reason);
    out.text(4, "topic", event.topic);
  }
  void operator()(const traced::Duplicate& event) {
    out.bytes(1, "messageID", event.id);
    out.bytes(2, "receivedFrom", event.from.bytes());
    out.text(3, "topic", event.topic);
  }
  void operator()(const traced::Delivered& event) {
    out.bytes(1, "messageID", event.id);
    out.text(2, "topic", event.topic);
    out.bytes(3, "receivedFrom", event.from.bytes());
  }
  void operator()(const traced::StreamOpened& event) {
    out.bytes(1, "peerID", event.peer.bytes());
    out.text(2, "proto", event.protocol);
  }
  void operator()(const traced::StreamClosed& event) { out.bytes(1, "peerID", event.peer.bytes()); }
  void operator()(const traced::RpcReceived& event) {
    say_rpc(out, "receivedFrom", event.peer, event.rpc);
  }
  void operator()(const traced::RpcSent& event) { say_rpc(out, "sendTo", event.peer, event.rpc); }
  void operator()(const traced::RpcDropped& event) {
    say_rpc(out, "sendTo", event.peer, event.rpc);
  }
  void operator()(const traced::Joined& event) { out.text(1, "topic", event.topic); }
  void operator()(const traced::Left& event) { out.text(2, "topic", event.topic); }
  void operator()(const traced::Grafted& event) { say_mesh(event.peer, event.topic); }
  void operator()(const traced::Pruned& event) { say_mesh(event.peer, event.topic); }
  void say_mesh(const PeerId& peer, const Topic& topic) {
    out.bytes(1, "peerID", peer.bytes());
    out.text(2, "topic", topic);
  }
};

template <class Out>
void say_event(Out& out, const PeerId& node, WallTime when, const TraceEvent& event) {
  out.number(1, "type", event.index());
  out.bytes(2, "peerID", node.bytes());
  out.number(3, "timestamp", static_cast<std::uint64_t>(when.time_since_epoch() / 1ns));
  out.message(static_cast<unsigned>(event.index()) + 4, kParts[event.index()],
              [&](Out& part) { std::visit(Body<Out>{part}, event); });
}

}  // namespace

Bytes trace_protobuf(const PeerId& node, WallTime when, const TraceEvent& event) {
  Protobuf message;
  say_event(message, node, when, event);
  Bytes out;
  put_varint(out, message.written().size());
  append(out, message.written());
  return out;
}

std::string trace_json(const PeerId& node, WallTime when, const TraceEvent& event) {
  return Json::object([&](Json& out) { say_event(out, node, when, event); }) + '\n';
}

}  // namespace kadmesh
