#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "verbs.h"

namespace kadmesh::peer {
namespace {

using asio::use_awaitable;

Json texts(const auto& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(item.text());
  return out;
}

asio::awaitable<Json> connect(Request r) {
  const Multiaddr addr = value_or_throw(Multiaddr::from_text(r.text("addr")));
  const auto report = value_or_throw(co_await r.host.async_connect(addr, use_awaitable, r.limit()));
  Json out{{"peer", report.peer.text()}, {"muxer_early", nullptr}};
  for (const ConnectionInfo& connection : r.host.node().connections())
    if (connection.id == report.conn) out["muxer_early"] = connection.early_muxer;
  co_return out;
}

asio::awaitable<Json> disconnect(Request r) {
  r.host.disconnect(r.peer());
  co_return Json::object();
}

asio::awaitable<Json> connections(Request r) {
  Json peers = Json::array();
  for (const ConnectionInfo& connection : r.host.node().connections())
    peers.push_back({{"peer", connection.peer.text()},
                     {"addr", connection.remote.text()},
                     {"inbound", !connection.opened_by_us}});
  co_return Json{{"peers", peers}};
}

asio::awaitable<Json> identify(Request r) {
  const PeerId peer = r.peer();
  const Time deadline = after(r.host.now().mono, r.limit());
  while (!r.host.node().info(peer) && r.host.now().mono < deadline) co_await wait(10ms);
  const auto info = r.host.node().info(peer);
  if (!info) throw Failure("not identified");
  std::vector<Multiaddr> addrs;
  for (const Dialable& addr : info->addrs) addrs.push_back(addr.addr());
  co_return Json{{"agent", info->agent},
                 {"protocol_version", info->protocol_version},
                 {"protocols", info->protocols},
                 {"addrs", texts(addrs)},
                 {"observed", info->observed ? Json(info->observed->text()) : Json()}};
}

asio::awaitable<Json> push(Request r) {
  r.host.serve(r.text("protocol"), [](Stream) {});
  co_return Json::object();
}

asio::awaitable<Json> ping(Request r) {
  Json rtts = Json::array();
  const std::size_t count = r.number("count");
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) co_await wait(std::chrono::milliseconds(r.number("interval_ms")));
    const auto report = value_or_throw(co_await r.host.async_ping(r.peer(), use_awaitable));
    rtts.push_back(std::chrono::duration<double, std::micro>(report.rtt).count());
  }
  co_return Json{{"rtts_us", rtts}};
}

}  // namespace

asio::awaitable<void> wait(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
}

void add_connection_verbs(Verbs& verbs) {
  verbs["connect"] = connect;
  verbs["disconnect"] = disconnect;
  verbs["connections"] = connections;
  verbs["identify"] = identify;
  verbs["push"] = push;
  verbs["ping"] = ping;
}

}  // namespace kadmesh::peer
