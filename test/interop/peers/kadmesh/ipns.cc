#include "store/ipns.h"

#include "verbs.h"

namespace kadmesh::peer {
namespace {

constexpr Duration kLife = 1h, kTtl = 5min;

asio::awaitable<Json> seal(Request r) {
  const KeyPair& key = r.host.node().identity();
  const Bytes record = value_or_throw(seal_ipns(key, as_bytes(r.text("path")), r.number("sequence"),
                                                after(r.host.now().wall, kLife), kTtl));
  co_return Json{{"key", to_hex(ipns_key(key.peer_id()))}, {"record", to_hex(record)}};
}

asio::awaitable<Json> open(Request r) {
  const IpnsRecord opened = value_or_throw(open_ipns(r.peer(), r.hex("record"), r.host.now().wall));
  co_return Json{{"path", std::string(as_text(opened.value))}, {"sequence", opened.sequence}};
}

}  // namespace

void add_ipns_verbs(Verbs& verbs) {
  verbs["ipns_seal"] = seal;
  verbs["ipns_open"] = open;
}

}  // namespace kadmesh::peer
