#include <asio/use_awaitable.hpp>

#include "verbs.h"

namespace kadmesh::peer {
namespace {

using asio::use_awaitable;

std::size_t servers(const Host& host) {
  std::size_t count = 0;
  for (const TableEntry& entry : host.node().kad().table())
    count += entry.standing == Standing::server;
  return count;
}

asio::awaitable<Json> bootstrap(Request r) {
  const Time deadline = after(r.host.now().mono, r.limit());
  for (const auto& text : r.fields.at("peers")) {
    const Multiaddr addr = value_or_throw(Multiaddr::from_text(text.get<std::string>()));
    value_or_throw(co_await r.host.async_connect(addr, use_awaitable, r.limit()));
  }
  while (servers(r.host) == 0 && r.host.now().mono < deadline) co_await wait(10ms);
  if (servers(r.host) == 0) throw Failure("no peer entered the table");
  // A lookup of ourselves fills the table around us.
  co_await r.host.async_find_peer(r.host.id(), use_awaitable, r.limit());
  co_return Json{{"table", servers(r.host)}};
}

asio::awaitable<Json> table(Request r) {
  Json peers = Json::array();
  for (const TableEntry& entry : r.host.node().kad().table())
    if (entry.standing == Standing::server) peers.push_back(entry.contact.peer.text());
  co_return Json{{"peers", peers}};
}

asio::awaitable<PutReport> put_bytes(const Request& r, Bytes key, Bytes value) {
  const auto report = value_or_throw(
      co_await r.host.async_put(std::move(key), std::move(value), use_awaitable, r.limit()));
  if (report.acknowledged == 0)
    throw Failure("nobody acknowledged, of " + std::to_string(report.contacted));
  co_return report;
}

asio::awaitable<Json> put(Request r) {
  const PutReport report = co_await put_bytes(r, r.hex("key"), r.hex("value"));
  co_return Json{{"acknowledged", report.acknowledged}};
}

asio::awaitable<Json> put_pk(Request r) {
  Bytes key = to_bytes(as_bytes("/pk/"));
  append(key, r.host.id().bytes());
  co_await put_bytes(r, key, r.host.node().identity().public_key().proto());
  co_return Json{{"key", to_hex(key)}};
}

asio::awaitable<Json> get(Request r) {
  const auto report =
      value_or_throw(co_await r.host.async_get(r.hex("key"), use_awaitable, r.limit()));
  co_return Json{{"value", to_hex(report.value)}};
}

asio::awaitable<Json> provide(Request r) {
  const auto report = value_or_throw(
      co_await r.host.async_provide(r.hex("cid_multihash"), use_awaitable, r.limit()));
  if (report.contacted == 0) throw Failure("nobody was told");
  co_return Json{{"contacted", report.contacted}};
}

asio::awaitable<Json> providers(Request r) {
  const auto report = value_or_throw(co_await r.host.async_find_providers(
      r.hex("cid_multihash"), r.number("count"), use_awaitable, r.limit()));
  Json peers = Json::array();
  for (const Contact& provider : report.providers) peers.push_back(provider.peer.text());
  co_return Json{{"peers", peers}};
}

asio::awaitable<Json> find(Request r) {
  const auto report =
      value_or_throw(co_await r.host.async_find_peer(r.peer(), use_awaitable, r.limit()));
  Json addrs = Json::array();
  for (const Dialable& addr : report.found.addrs) addrs.push_back(addr.addr().text());
  co_return Json{{"addrs", addrs}};
}

}  // namespace

void add_kad_verbs(Verbs& verbs) {
  verbs["kad_bootstrap"] = bootstrap;
  verbs["kad_table"] = table;
  verbs["kad_put"] = put;
  verbs["kad_put_pk"] = put_pk;
  verbs["kad_get"] = get;
  verbs["kad_provide"] = provide;
  verbs["kad_providers"] = providers;
  verbs["kad_find"] = find;
}

}  // namespace kadmesh::peer
