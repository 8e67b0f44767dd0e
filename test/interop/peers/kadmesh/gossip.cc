#include <asio/co_spawn.hpp>

#include "pump.h"
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
       {"size", data.size()},
       {"message_id", to_hex(delivery.id)}});
}

Json peers_of(const Request& r, std::vector<PeerId> TopicView::* which) {
  Json peers = Json::array();
  for (const TopicView& view : r.host.node().gossip().topics())
    if (view.topic == r.text("topic"))
      for (const PeerId& peer : view.*which) peers.push_back(peer.text());
  return {{"peers", peers}};
}

using Pumps = std::map<Topic, Pump>;

asio::awaitable<Json> join(Pumps& pumps, Request r) {
  const Topic topic = r.text("topic");
  Host::OnMessage handler = on_message;
  if (r.fields.value("quiet", false)) {
    Pump& pump = pumps.try_emplace(topic, r.host).first->second;
    handler = [&pump](const GossipDeliver& delivery) { pump.on_message(delivery); };
  }
  value_or_throw(r.host.subscribe(topic, std::move(handler)));
  co_return Json::object();
}

asio::awaitable<Json> pump(Pumps& pumps, Request r) {
  const auto at = pumps.find(r.text("topic"));
  if (at == pumps.end()) throw Failure("not joined quietly");
  PumpOrder order{.topic = at->first,
                  .count = r.number("count"),
                  .size = r.number("size"),
                  .window = r.number("window"),
                  .others = r.number("others"),
                  .interval = std::chrono::microseconds(r.number("interval_us"))};
  asio::awaitable<Json> running = at->second.run(std::move(order));
  Json told = co_await std::move(running);
  co_return told;
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

// Of IHAVE and IWANT that came the router counts what it did for them.
asio::awaitable<Json> counts(Request r) {
  const GossipStats stats = r.host.node().gossip().stats();
  co_return Json{{"copies_in", stats.delivered + stats.duplicates + stats.validating +
                                   stats.rejected + stats.ignored + stats.unjudged},
                 {"ihave_out", stats.ihave_sent},
                 {"iwant_in", stats.iwant_served},
                 {"iwant_out", stats.iwant_sent},
                 {"idontwant_in", stats.idontwant_got},
                 {"idontwant_out", stats.idontwant_sent},
                 {"not_wanted", stats.not_wanted}};
}

asio::awaitable<Json> scores(Request r) {
  const Gossip& gossip = r.host.node().gossip();
  Json told = Json::object();
  for (const PeerId& peer : gossip.peers()) told[peer.text()] = gossip.score(peer);
  co_return Json{{"scores", told}};
}

asio::awaitable<void> accept_later(Host& host, ValidationId id, Duration hold) {
  co_await wait(hold);
  host.verdict(id, Verdict::accept);
}

}  // namespace

void hold_messages(Host& host, Duration hold) {
  if (hold == Duration::zero()) return;
  host.set_validator([&host, hold](const GossipValidate& question) {
    asio::co_spawn(host.get_executor(), accept_later(host, question.id, hold),
                   [](std::exception_ptr) {});
  });
}

void add_gossip_verbs(Verbs& verbs) {
  const auto pumps = std::make_shared<Pumps>();
  verbs["gossip_join"] = [pumps](Request r) { return join(*pumps, std::move(r)); };
  verbs["gossip_pump"] = [pumps](Request r) { return pump(*pumps, std::move(r)); };
  verbs["gossip_leave"] = leave;
  verbs["gossip_mesh"] = mesh;
  verbs["gossip_peers"] = peers;
  verbs["gossip_publish"] = publish;
  verbs["gossip_burst"] = burst;
  verbs["gossip_counts"] = counts;
  verbs["gossip_scores"] = scores;
}

}  // namespace kadmesh::peer
