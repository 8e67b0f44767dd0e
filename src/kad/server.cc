#include "kad/server.h"

#include <algorithm>
#include <functional>

#include "kad/provider_set.h"

namespace kadmesh {
namespace {

Server::Refuse refuse(Errc code, std::string detail) { return {{code, std::move(detail)}}; }

Server::Answer answer(const KadMessage& message) { return {encode_answer(message)}; }

KadMessage reply_to(const KadMessage& request) { return {request.type, request.key, {}, {}, {}}; }

// Good to hand on: what a third peer said is not.
bool known_good(const Dialable& addr) { return addr.source() != Source::hint; }

// What a request of the type stores.
std::optional<Kind> written_by(KadType type) {
  if (type == KadType::put_value) return Kind::value;
  if (type == KadType::add_provider) return Kind::provider;
  return std::nullopt;
}

std::optional<PeerId> peer_of(const Row& row) {
  auto peer = PeerId::from_bytes(row.member);
  if (!peer) return std::nullopt;
  return *peer;
}

// Those that have not ended yet are counted when they do.
Server::Step counted(Outcomes& ended, Server::Step step) {
  if (const auto* refusal = std::get_if<Server::Refuse>(&step))
    ended.count(&refusal->why);
  else if (std::holds_alternative<Server::Answer>(step))
    ended.count(nullptr);
  return step;
}

}  // namespace

Server::Step Server::on_request(Turn turn, KadInboundId id, const PeerId& from, ByteView message) {
  if (view_.config.mode == KadMode::client)
    return counted(ended_.unread, refuse(Errc::unsupported, "this node is a client"));
  const KadWireLimits limits{kMostRequest, 0, kMostProviders};
  auto request = decode_kad(message, limits);
  if (!request) return counted(ended_.unread, Refuse{request.error()});
  Outcomes& of_type = outcomes(request->type);
  return counted(of_type, serve(turn, id, from, *std::move(request)));
}

Server::Step Server::serve(Turn turn, KadInboundId id, const PeerId& from, KadMessage request) {
  if (request.type == KadType::find_node) return find_node(from, request);
  if (request.type == KadType::ping) return answer({KadType::ping, {}, {}, {}, {}});
  if (waiting_.size() >= kMostInbound) return refuse(Errc::limit, "too many requests wait");
  return begin(turn, id, from, std::move(request));
}

// What the store must be asked for.
Server::Step Server::begin(Turn turn, KadInboundId id, const PeerId& from, KadMessage request) {
  switch (request.type) {
    case KadType::get_value:
      return begin_get_value(turn, id, from, std::move(request));
    case KadType::put_value:
      return begin_put_value(turn, id, from, std::move(request));
    case KadType::get_providers:
      return begin_providers(turn, id, from, std::move(request));
    case KadType::add_provider:
      return begin_add_provider(turn, id, from, std::move(request));
    case KadType::find_node:
    case KadType::ping:
      break;
  }
  return refuse(Errc::protocol, "nothing to load");
}

bool Server::too_many_of(std::uint64_t charge) const {
  const auto its = [&](const auto& item) { return item.second.charge == charge; };
  return std::ranges::count_if(waiting_, its) >= std::ptrdiff_t{kMostOfCharge};
}

Server::Step Server::load(Turn turn, KadInboundId id, const PeerId& from, KadMessage request,
                          Kind kind) {
  Load stored{kind, request.key};
  const std::uint64_t charge = charge_of(from, view_.peers.seen_in(from));
  if (too_many_of(charge)) return refuse(Errc::limit, "too many requests of one network wait");
  const Time deadline = after(turn.now.mono, kInboundDeadline);
  waiting_.insert_or_assign(id,
                            Waiting{from, std::move(request), Stage::loading, deadline, charge});
  return Use{std::move(stored)};
}

Server::Step Server::load_in_line(Turn turn, KadInboundId id, const PeerId& from,
                                  KadMessage request, Kind kind) {
  const WriteLines::Line line{kind, request.key};
  Step step = load(turn, id, from, std::move(request), kind);
  if (!std::holds_alternative<Use>(step)) return step;
  const auto first = lines_.join(line, id, from);
  if (first == true) return step;
  waiting_.at(id).stage = Stage::in_line;
  if (first) return Hold{};
  waiting_.erase(id);
  return refuse(Errc::limit, "others of the same key, or of the same peer, wait");
}

void Server::leave_line(KadInboundId id, const Waiting& waiting) {
  if (const auto kind = written_by(waiting.request.type))
    lines_.leave({*kind, waiting.request.key}, id);
}

std::optional<std::pair<KadInboundId, StoreRequest>> Server::poll_next() {
  const auto id = lines_.next();
  if (!id) return std::nullopt;
  return std::pair(*id, std::get<Use>(look_again(waiting_.at(*id))).request);
}

Server::Step Server::look_again(Waiting& waiting) {
  waiting.stage = Stage::loading;
  return Use{Load{*written_by(waiting.request.type), waiting.request.key}};
}

Server::Step Server::save(Waiting& waiting, Row row, std::optional<StoreRows> seen) {
  row.charge = waiting.charge;
  waiting.stage = Stage::saving;
  return Use{Save{std::move(row), home_, std::move(seen)}};
}

std::optional<Server::Step> Server::on_stored(Turn turn, KadInboundId id,
                                              const StoreResult& result) {
  const auto at = waiting_.find(id);
  if (at == waiting_.end() || at->second.stage == Stage::in_line) return std::nullopt;
  Step step =
      result ? continued(turn, at->second, *result) : not_stored(at->second, result.error());
  if (std::holds_alternative<Use>(step)) return step;
  Outcomes& of_type = outcomes(at->second.request.type);
  leave_line(id, at->second);
  waiting_.erase(at);
  return counted(of_type, std::move(step));
}

// Refused is who has not seen what is there by now.
Server::Step Server::not_stored(Waiting& waiting, const Error& why) {
  if (waiting.stage == Stage::saving && why.code == Errc::refused) return look_again(waiting);
  return Refuse{why};
}

Server::Step Server::continued(Turn turn, Waiting& waiting, const StoreRows& rows) {
  if (waiting.stage == Stage::saving) return saved(waiting);
  switch (waiting.request.type) {
    case KadType::get_value:
      return get_value(turn, waiting, rows);
    case KadType::put_value:
      return put_value(turn, waiting, rows);
    case KadType::get_providers:
      return get_providers(turn, waiting, rows);
    case KadType::add_provider:
      return add_provider(turn, waiting, rows);
    case KadType::find_node:
    case KadType::ping:
      break;
  }
  return refuse(Errc::protocol, "nothing to load");
}

std::optional<std::pair<KadInboundId, Server::Refuse>> Server::expire(Time now) {
  if (now < next_timer()) return std::nullopt;
  const auto& [id, waiting] = *waiting_.begin();
  std::pair expired{id, refuse(Errc::timeout, "the store did not answer")};
  outcomes(waiting.request.type).count(&expired.second.why);
  leave_line(id, waiting);
  waiting_.erase(waiting_.begin());
  return expired;
}

Time Server::next_timer() const {
  return waiting_.empty() ? kNever : waiting_.begin()->second.deadline;
}

std::optional<StoreRequest> Server::poll_cleanup() {
  if (cleanup_.empty()) return std::nullopt;
  StoreRequest request = std::move(cleanup_.front());
  cleanup_.pop_front();
  return request;
}

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
  return load(turn, id, from, std::move(request), Kind::value);
}

Server::Step Server::get_value(Turn turn, const Waiting& waiting, const StoreRows& rows) {
  KadMessage reply = reply_to(waiting.request);
  reply.closer = closer(waiting.request, waiting.from);
  if (rows.empty()) return answer(reply);
  const Row& row = rows.front();
  if (view_.config.validators.validate(row.key, row.value, turn.now.wall)) {
    reply.record = KadRecord{row.key, row.value, to_bytes(as_bytes(to_rfc3339(row.received))),
                             ttl_of(turn, row)};
  } else {
    cleanup_.push_back(Erase{Kind::value, row.key, {}, row.value});
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
  return load_in_line(turn, id, from, std::move(request), Kind::value);
}

Server::Step Server::put_value(Turn turn, Waiting& waiting, const StoreRows& rows) {
  const KadRecord& record = *waiting.request.record;
  if (!rows.empty() && better(view_.config, turn, rows.front(), record.value))
    return refuse(Errc::refused, "a better value is stored");
  // Whoever hands on what is here, be it written in another way, must not pay for it, or be able to
  // have it displaced; and nobody has it forgotten, be it for the sake of something better. What is
  // padded gives way to what is not.
  const bool here = !rows.empty() && says_the_same(view_.config, turn, rows.front(), record.value);
  if (here) waiting.charge = rows.front().charge;
  const bool kept = here && rows.front().value.size() <= record.value.size();
  Row row = value_row(view_.config, turn, record.key, kept ? rows.front().value : record.value);
  row.expires = expiry(turn, record);
  if (!rows.empty()) row.expires = std::max(row.expires, kept_until(view_.config, turn, rows[0]));
  return save(waiting, std::move(row), rows);
}

// As rust-libp2p does (libp2p-kad, behaviour.rs, record_received).
WallTime Server::expiry(Turn turn, const KadRecord& record) const {
  Duration life = view_.config.record_ttl / (std::int64_t{1} << beyond_k(record.key));
  if (record.ttl) life = std::min(life, seconds_clamped(*record.ttl));
  return after(turn.now.wall, life);
}

std::size_t Server::beyond_k(const Bytes& key) const {
  const KadId target = KadId::of(key);
  const Distance ours = distance(KadId::of(view_.self.bytes()), target);
  const auto nearest = view_.table.to_hand_out(target, view_.config.k + kMostHalvings, view_.self);
  const auto nearer =
      static_cast<std::size_t>(std::ranges::count_if(nearest, [&](const TableEntry& e) {
        return distance(KadId::of(e.contact.peer), target) < ours;
      }));
  return nearer - std::min(nearer, view_.config.k);
}

// --- providers
Server::Step Server::begin_providers(Turn turn, KadInboundId id, const PeerId& from,
                                     KadMessage request) {
  if (auto fits = check_provider_key(request.key); !fits) return Refuse{fits.error()};
  return load(turn, id, from, std::move(request), Kind::provider);
}

std::vector<Multiaddr> Server::current_addrs(Turn turn, const PeerId& provider,
                                             const Row& row) const {
  // When it last told of itself.
  const WallTime told = after(row.expires, -view_.config.provider_ttl);
  if (turn.now.wall < after(told, kProviderAddrTtl)) return decode_addrs(row.value);
  return entry(provider, view_.addrs_of(provider)).addrs;
}

// In an order drawn anew: when not all fit, no provider is always among those left out.
Server::Step Server::get_providers(Turn turn, const Waiting& waiting, const StoreRows& rows) const {
  KadMessage reply = reply_to(waiting.request);
  reply.closer = closer(waiting.request, waiting.from);
  for (const Row& row : rows) {
    const auto peer = peer_of(row);
    if (!peer) continue;
    KadPeer provider{*peer, current_addrs(turn, *peer, row), Connectedness::not_connected};
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
  request.providers.resize(1, request.providers.front());
  std::vector<Multiaddr>& addrs = request.providers.front().addrs;
  addrs = named_addrs(from, std::move(addrs));
  return load_in_line(turn, id, from, std::move(request), Kind::provider);
}

// What a peer has signed outranks what it says here. rust names none unless they are confirmed from
// outside; identify has told us of some.
std::vector<Multiaddr> Server::named_addrs(const PeerId& from, std::vector<Multiaddr> said) const {
  std::vector<Dialable> known = view_.addrs_of(from);
  const auto is_signed = [](const Dialable& a) { return a.source() == Source::signed_record; };
  if (std::ranges::any_of(known, is_signed)) {
    std::erase_if(known, std::not_fn(is_signed));
    std::erase_if(said, [&](const Multiaddr& a) {
      return !std::ranges::count(known, a.without_peer(), &Dialable::addr);
    });
  }
  return said.empty() ? entry(from, known).addrs : said;
}

Server::Step Server::add_provider(Turn turn, Waiting& waiting, const StoreRows& rows) {
  auto displaced = admit(view_.config.providers, rows, waiting.from.bytes(), waiting.charge);
  if (!displaced) return Refuse{displaced.error()};
  waiting.displaced = *std::move(displaced);
  Row row = provider_row(view_.config, turn, waiting.request.key, waiting.from);
  row.value = encode_addrs(waiting.request.providers.front().addrs);
  if (const auto known = std::ranges::find(rows, row.member, &Row::member); known != rows.end())
    row.received = std::min(row.received, known->received);
  return save(waiting, std::move(row), std::nullopt);
}

Server::Step Server::saved(const Waiting& waiting) {
  for (const Bytes& member : waiting.displaced)
    cleanup_.push_back(Erase{Kind::provider, waiting.request.key, member});
  if (waiting.request.type == KadType::add_provider) return Answer{std::nullopt};
  KadMessage reply = reply_to(waiting.request);
  reply.record = KadRecord{waiting.request.key, waiting.request.record->value, {}};
  return answer(reply);
}

}  // namespace kadmesh
