#include "kad/server.h"

#include <algorithm>

namespace kadmesh {
namespace {

Server::Refuse refuse(Errc code, std::string detail) { return {{code, std::move(detail)}}; }

Server::Answer answer(const KadMessage& message) { return {encode_answer(message)}; }

KadMessage reply_to(const KadMessage& request) { return {request.type, request.key, {}, {}, {}}; }

// Good to hand on: what a third peer said is not.
bool known_good(const Dialable& addr) { return addr.source() != Source::hint; }

std::optional<PeerId> peer_of(const Row& row) {
  auto peer = PeerId::from_bytes(row.member);
  if (!peer) return std::nullopt;
  return *peer;
}

}  // namespace

Server::Step Server::on_request(Turn turn, KadInboundId id, const PeerId& from, ByteView message) {
  if (!view_.config.server) return refuse(Errc::unsupported, "this node is a client");
  if (waiting_.size() >= kMostInbound) return refuse(Errc::limit, "too many requests wait");
  const KadWireLimits limits{kMostRequest, 0, kMostProviders};
  auto request = decode_kad(message, limits);
  if (!request) return Refuse{request.error()};
  switch (request->type) {
    case KadType::find_node:
      return find_node(from, *request);
    case KadType::get_value:
      return begin_get_value(turn, id, from, *std::move(request));
    case KadType::put_value:
      return begin_put_value(turn, id, from, *std::move(request));
    case KadType::get_providers:
      return begin_providers(turn, id, from, *std::move(request));
    case KadType::add_provider:
      return begin_add_provider(turn, id, from, *std::move(request));
    case KadType::ping:
      break;
  }
  return answer({KadType::ping, {}, {}, {}, {}});
}

Server::Step Server::wait(Turn turn, KadInboundId id, Waiting waiting, StoreRequest request) {
  waiting.deadline = after(turn.now.mono, kInboundDeadline);
  waiting_.insert_or_assign(id, std::move(waiting));
  return Use{std::move(request)};
}

std::optional<Server::Step> Server::on_stored(Turn turn, KadInboundId id,
                                              const StoreResult& result) {
  auto at = waiting_.extract(id);
  if (at.empty()) return std::nullopt;
  Waiting waiting = std::move(at.mapped());
  if (!result) return Refuse{result.error()};
  if (waiting.stage == Stage::saving) return saved(waiting);
  switch (waiting.request.type) {
    case KadType::get_value:
      return get_value(turn, waiting, *result);
    case KadType::put_value:
      return put_value(turn, id, std::move(waiting), *result);
    case KadType::get_providers:
      return get_providers(turn, waiting, *result);
    case KadType::add_provider:
      return add_provider(turn, id, std::move(waiting), *result);
    case KadType::find_node:
    case KadType::ping:
      break;
  }
  return Refuse{{Errc::protocol, "nothing to load"}};
}

std::optional<KadInboundId> Server::expire(Time now) {
  if (now < next_timer()) return std::nullopt;
  const KadInboundId id = waiting_.begin()->first;
  waiting_.erase(waiting_.begin());
  return id;
}

Time Server::next_timer() const {
  return waiting_.empty() ? kNever : waiting_.begin()->second.deadline;
}

std::optional<StoreRequest> Server::poll_cleanup() { return std::exchange(cleanup_, {}); }

// --- peers
KadPeer Server::entry(const PeerId& peer, const std::vector<Dialable>& addrs) const {
  KadPeer entry{peer, {}, Connectedness::not_connected};
  for (const Dialable& addr : addrs)
    if (known_good(addr)) entry.addrs.push_back(addr.addr());
  if (view_.peers.has(peer)) entry.connection = Connectedness::connected;
  return entry;
}

std::vector<KadPeer> Server::closer(const KadMessage& request, const PeerId& from) const {
  std::vector<KadPeer> peers;
  for (const TableEntry& known :
       view_.table.to_hand_out(KadId::of(request.key), view_.config.k, from))
    peers.push_back(entry(known.contact.peer, known.contact.addrs));
  return peers;
}

Server::Step Server::find_node(const PeerId& from, const KadMessage& request) const {
  if (request.key.empty()) return refuse(Errc::protocol, "FIND_NODE without a key");
  KadMessage reply{KadType::find_node, {}, {}, closer(request, from), {}};
  const auto target = PeerId::from_bytes(request.key);
  const auto is_target = [&](const KadPeer& p) { return p.id == *target; };
  if (!target || std::ranges::any_of(reply.closer, is_target)) return answer(reply);
  KadPeer known =
      *target == view_.self ? view_.own_entry() : entry(*target, view_.addrs_of(*target));
  if (!known.addrs.empty()) reply.closer.insert(reply.closer.begin(), std::move(known));
  return answer(reply);
}

// --- values
Server::Step Server::begin_get_value(Turn turn, KadInboundId id, const PeerId& from,
                                     KadMessage request) {
  if (request.key.empty()) return refuse(Errc::protocol, "GET_VALUE without a key");
  if (request.key.size() > kMostRecordKey) return refuse(Errc::limit, "a key above 512 bytes");
  Load load{Kind::value, request.key};
  return wait(turn, id, {from, std::move(request), Stage::loading, {}}, std::move(load));
}

Server::Step Server::get_value(Turn turn, const Waiting& waiting, const StoreRows& rows) {
  KadMessage reply = reply_to(waiting.request);
  reply.closer = closer(waiting.request, waiting.from);
  if (rows.empty()) return answer(reply);
  const Row& row = rows.front();
  if (view_.config.validators.validate(row.key, row.value, turn.now.wall)) {
    reply.record = KadRecord{row.key, row.value, to_bytes(as_bytes(to_rfc3339(row.received)))};
  } else {
    cleanup_ = Erase{Kind::value, row.key, {}};
  }
  return answer(reply);
}

Server::Step Server::begin_put_value(Turn turn, KadInboundId id, const PeerId& from,
                                     KadMessage request) {
  if (!request.record) return refuse(Errc::protocol, "PUT_VALUE without a record");
  const KadRecord& record = *request.record;
  if (record.key != request.key)
    return refuse(Errc::protocol, "PUT_VALUE of a record under another key");
  if (auto fits = check_record_size(view_.config, record.key, record.value); !fits)
    return Refuse{fits.error()};
  if (auto valid = view_.config.validators.validate(record.key, record.value, turn.now.wall);
      !valid)
    return Refuse{valid.error()};
  Load load{Kind::value, request.key};
  return wait(turn, id, {from, std::move(request), Stage::loading, {}}, std::move(load));
}

Server::Step Server::put_value(Turn turn, KadInboundId id, Waiting waiting, const StoreRows& rows) {
  const KadRecord& record = *waiting.request.record;
  if (!rows.empty() && better(view_.config, turn, rows.front(), record.value))
    return refuse(Errc::refused, "a better value is stored");
  Save save{value_row(view_.config, turn, record.key, record.value)};
  waiting.stage = Stage::saving;
  return wait(turn, id, std::move(waiting), std::move(save));
}

// --- providers
Server::Step Server::begin_providers(Turn turn, KadInboundId id, const PeerId& from,
                                     KadMessage request) {
  if (auto fits = check_provider_key(request.key); !fits) return Refuse{fits.error()};
  Load load{Kind::provider, request.key};
  return wait(turn, id, {from, std::move(request), Stage::loading, {}}, std::move(load));
}

// In an order drawn anew: when not all fit, no provider is always among those left out.
Server::Step Server::get_providers(Turn turn, const Waiting& waiting, const StoreRows& rows) const {
  KadMessage reply = reply_to(waiting.request);
  reply.closer = closer(waiting.request, waiting.from);
  for (const Row& row : rows) {
    const auto peer = peer_of(row);
    if (!peer) continue;
    KadPeer provider{*peer, decode_addrs(row.value), Connectedness::not_connected};
    if (*peer == view_.self) provider = view_.own_entry();
    if (view_.peers.has(*peer)) provider.connection = Connectedness::connected;
    reply.providers.push_back(std::move(provider));
  }
  turn.rng.shuffle(std::span(reply.providers));
  return answer(reply);
}

Server::Step Server::begin_add_provider(Turn turn, KadInboundId id, const PeerId& from,
                                        KadMessage request) {
  if (auto fits = check_provider_key(request.key); !fits) return Refuse{fits.error()};
  std::erase_if(request.providers, [&](const KadPeer& p) { return p.id != from; });
  if (request.providers.empty())
    return refuse(Errc::protocol, "ADD_PROVIDER that does not name its sender");
  // rust names none unless they are confirmed from outside; identify has told us of some.
  std::vector<Multiaddr>& addrs = request.providers.front().addrs;
  if (addrs.empty()) addrs = entry(from, view_.addrs_of(from)).addrs;
  Load load{Kind::provider, request.key};
  return wait(turn, id, {from, std::move(request), Stage::loading, {}}, std::move(load));
}

Server::Step Server::add_provider(Turn turn, KadInboundId id, Waiting waiting,
                                  const StoreRows& rows) {
  const Bytes member = to_bytes(waiting.from.bytes());
  const bool known =
      std::ranges::any_of(rows, [&](const Row& row) { return row.member == member; });
  if (!known && rows.size() >= kMostProvidersOfKey)
    return refuse(Errc::limit, "the key has as many providers as are kept");
  Row row = provider_row(view_.config, turn, waiting.request.key, waiting.from);
  row.value = encode_addrs(waiting.request.providers.front().addrs);
  waiting.stage = Stage::saving;
  return wait(turn, id, std::move(waiting), Save{std::move(row)});
}

Server::Step Server::saved(const Waiting& waiting) const {
  if (waiting.request.type == KadType::add_provider) return Answer{std::nullopt};
  KadMessage reply = reply_to(waiting.request);
  reply.record = KadRecord{waiting.request.key, waiting.request.record->value, {}};
  return answer(reply);
}

}  // namespace kadmesh
