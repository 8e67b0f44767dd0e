#include "verbs.h"

namespace kadmesh::peer {
namespace {

constexpr std::size_t kShown = 64;  // bytes of a message in its event

void on_message(const GossipDeliver& delivery) {
  const GossipMessage& message = delivery.message;
  const ByteView data(message.data);
  say({{"event", "message"},
       {"topic", message.topic},
       {"from", message.from ? message.from->text() : ""},
       {"data", to_hex(data.first(std::min(data.size(), kShown)))},
       {"size", data.size()}});
}

Json peers_of(const Request& r, std::vector<PeerId> TopicView::* which) {
  Json peers = Json::array();
  for (const TopicView& view : r.host.node().gossip().topics())
    if (view.topic == r.text("topic"))
      for (const PeerId& peer : view.*which) peers.push_back(peer.text());
  return {{"peers", peers}};
}

asio::awaitable<Json> join(Request r) {
  r.host.subscribe(r.text("topic"), on_message);
  co_return Json::object();
}

asio::awaitable<Json> leave(Request r) {
  r.host.unsubscribe(r.text("topic"));
  co_return Json::object();
}

asio::awaitable<Json> mesh(Request r) { co_return peers_of(r, &TopicView::mesh); }
asio::awaitable<Json> peers(Request r) { co_return peers_of(r, &TopicView::subscribers); }

asio::awaitable<Json> publish(Request r) {
  const Receipt receipt = value_or_throw(r.host.publish(r.text("topic"), r.hex("data")));
  co_return Json{{"peers", receipt.peers.size()}};
}

asio::awaitable<Json> burst(Request r) {
  const Duration interval = std::chrono::microseconds(r.number("interval_us"));
  for (std::size_t i = 0; i < r.number("count"); ++i) {
    std::string text = r.text("prefix") + "-" + std::to_string(i);
    text.resize(std::max(text.size(), r.number("size")), ' ');
    value_or_throw(r.host.publish(r.text("topic"), to_bytes(as_bytes(text))));
    co_await wait(interval);
  }
  co_return Json::object();
}

}  // namespace

void add_gossip_verbs(Verbs& verbs) {
  verbs["gossip_join"] = join;
  verbs["gossip_leave"] = leave;
  verbs["gossip_mesh"] = mesh;
  verbs["gossip_peers"] = peers;
  verbs["gossip_publish"] = publish;
  verbs["gossip_burst"] = burst;
}

}  // namespace kadmesh::peer
