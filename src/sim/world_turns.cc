// A node's turn: an input, what the node does upon it, and the record of both.
#include <algorithm>

#include "base/check.h"
#include "sim/world.h"

namespace kadmesh {
namespace {

std::uint64_t number(ConnId id) { return static_cast<std::uint64_t>(id); }

void mix_in(Digest& digest, const Endpoint& endpoint) {
  digest.add(endpoint.address());
  digest.add(endpoint.port);
}

void mix_in(Digest& digest, WallTime time) {
  digest.add(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

void mix_in(Digest& digest, const Row& row) {
  digest.add(static_cast<std::uint64_t>(row.kind));
  for (const Bytes* bytes : {&row.key, &row.member, &row.value}) digest.add(*bytes);
  mix_in(digest, row.received);
  mix_in(digest, row.expires);
  digest.add(row.place);
  digest.add(row.charge);
}

void mix_in(Digest& digest, const Load& load) {
  digest.add(static_cast<std::uint64_t>(load.kind));
  digest.add(load.key);
}

void mix_in(Digest& digest, const Save& save) {
  mix_in(digest, save.row);
  digest.add(save.home);
  if (save.seen)
    for (const Row& row : *save.seen) mix_in(digest, row);
}

void mix_in(Digest& digest, const Erase& erase) {
  digest.add(static_cast<std::uint64_t>(erase.kind));
  digest.add(erase.key);
  digest.add(erase.member);
  if (erase.value) digest.add(*erase.value);
}

void mix_in(Digest& digest, const Scan& scan) {
  digest.add(static_cast<std::uint64_t>(scan.kind));
  digest.add(scan.after_key);
  digest.add(scan.after_member);
  digest.add(scan.most);
}

void mix_in(Digest& digest, const Expire& expire) { mix_in(digest, expire.latest); }

void mix_in(Digest& digest, const Near& near) {
  digest.add(static_cast<std::uint64_t>(near.kind));
  digest.add(near.from);
  digest.add(near.to);
  digest.add(near.after_key);
  digest.add(near.after_member);
  digest.add(near.most);
}

std::uint64_t digest_of_request(const StoreRequest& request) {
  Digest digest;
  digest.add(request.index());
  std::visit([&](const auto& each) { mix_in(digest, each); }, request);
  return digest.value();
}

std::uint64_t digest_of_answer(const StoreResult& result) {
  Digest digest;
  digest.add(result ? 0 : 1 + static_cast<std::uint64_t>(result.error().code));
  if (result)
    for (const Row& row : *result) mix_in(digest, row);
  return digest.value();
}

std::uint64_t digest_of_report(const Report& report) {
  Digest digest;
  digest.add(report.index());
  if (const auto* done = std::get_if<OpDone>(&report)) {
    digest.add(static_cast<std::uint64_t>(done->op));
    digest.add(done->result ? 0 : 1 + static_cast<std::uint64_t>(done->result.error().code));
    if (done->result) digest.add(done->result->index());
  }
  if (const auto* message = std::get_if<MessageDelivered>(&report))
    digest.add(message->delivery.message.data);
  if (const auto* message = std::get_if<MessageToValidate>(&report))
    digest.add(message->validation.message.data);
  return digest.value();
}

}  // namespace

// A turn of a node within its own turn (an answer to a report) is part of it.
World::TurnScope::TurnScope(World& world, Index node, TurnKind kind, std::uint64_t about,
                            std::uint64_t size, std::uint64_t digest)
    : world_(world), node_(node), outermost_(!world.members_.at(node)->settling) {
  Member& member = *world_.members_[node];
  if (!outermost_) {
    for (const std::uint64_t word : {static_cast<std::uint64_t>(kind), about, size, digest})
      member.done.add(word);
    return;
  }
  member.settling = true;
  member.done = {};
  member.record = {.at = world_.calendar_.now(),
                   .node = static_cast<std::uint32_t>(node),
                   .kind = kind,
                   .about = about,
                   .size = size,
                   .digest = digest};
}

void World::end_turn(Index node) {
  settle(node);
  Member& member = *members_[node];
  member.settling = false;
  member.record.done = member.done.value();
  trace_.add(member.record);
  if (member.cost.kib > Duration::zero() && member.record.kind == TurnKind::bytes) {
    const auto kib = static_cast<std::int64_t>((member.record.size + 1023) / 1024);
    member.busy_until = after(calendar_.now(), kib * member.cost.kib);
  }
  if (config_.check_every > 0 && ++checked_ % config_.check_every == 0) check(node);
  if (on_turn_) on_turn_(member.record);
}

void World::check(Index node) {
  if (!broken_.empty() || !up(node)) return;
  if (const std::string broken = members_[node]->node->check_invariants(); !broken.empty())
    broken_ = "seed " + std::to_string(config_.seed) + ", node " + std::to_string(node) + ", " +
              to_text(members_[node]->record) + ": " + broken;
}

// Until the node is still: a report may be answered by a command, which is taken within.
void World::settle(Index node) {
  while (auto action = members_[node]->node->poll()) {
    ++members_[node]->record.actions;
    perform(node, *std::move(action));
  }
  if (members_[node]->alive) arm_timer(node);
}

void World::perform(Index node, NodeAction action) {
  members_[node]->done.add(action.index());
  std::visit([&](auto& a) { perform_action(node, a); }, action);
}

void World::perform_action(Index node, DialPipe& action) {
  Member& member = *members_[node];
  ++member.record.dials;
  member.done.add(number(action.id));
  mix_in(member.done, action.to);
  const SocketId socket = network_.dial(host(node), number(action.id), action.to);
  renumbered(host(node), number(action.id), socket);
}

void World::perform_action(Index node, WritePipe& action) {
  Member& member = *members_[node];
  member.record.written += action.bytes.size();
  member.done.add(number(action.id));
  member.done.add(action.bytes);
  const auto at = socket(node, action.id);
  const std::uint64_t digest = digest_of(action.bytes);
  const std::size_t taken = at ? network_.write(*at, std::move(action.bytes), digest) : 0;
  if (taken > 0) written(host(node), number(action.id), taken);
}

void World::perform_action(Index node, ReadPipe& action) {
  members_[node]->done.add(number(action.id) << 1 | (action.wanted ? 1 : 0));
  if (const auto at = socket(node, action.id)) network_.read(*at, action.wanted);
}

void World::perform_action(Index node, ClosePipe& action) {
  ++members_[node]->record.closes;
  members_[node]->done.add(number(action.id) << 1 | (action.abort ? 1 : 0));
  const auto at = socket(node, action.id);
  if (!at) return;
  forget_socket(node, action.id);
  network_.close(*at, action.abort);
}

void World::perform_action(Index, KeyLogLine&) {}

void World::perform_action(Index node, ListenPipe& action) {
  Member& member = *members_[node];
  Endpoint at = network_.address(host(node), action.at.port != 0 ? action.at.port : kPort);
  member.listeners.push_back({action.id, at.port});
  network_.listen(host(node), at.port);
  if (member.outer && at.port == kPort) at = *member.outer;
  member.node->on_listening(turn_of(node), action.id, {Multiaddr::tcp(at)});
}

void World::perform_action(Index node, StopListening& action) {
  auto& listeners = members_[node]->listeners;
  const auto at = std::ranges::find(listeners, action.id, &Listener::id);
  if (at == listeners.end()) return;
  network_.stop_listening(host(node), at->port);
  listeners.erase(at);
}

// One answer after another, as from one disk.
void World::perform_action(Index node, StoreOp& action) {
  Member& member = *members_[node];
  member.done.add(digest_of_request(action.request));
  const StoreTrouble& trouble = store_trouble_;
  Time when = after(calendar_.now(), config_.store_latency);
  if (member.store_luck.chance_ppm(trouble.late_ppm))
    when = after(when, member.store_luck.up_to(trouble.latest));
  member.store_answers = std::max(member.store_answers, when);
  const auto slot = stored_.take();
  if (member.store_luck.chance_ppm(trouble.io_ppm))
    stored_[slot] = {action.id, fail(Errc::io, "the disk failed")};
  else
    stored_[slot] = {action.id,
                     member.store->run(now(node).wall, {std::move(action.request)}).front()};
  post(member.store_answers, Kind::stored, node, std::uint64_t{member.life} << 32 | slot);
}

void World::on_stored(const CalendarEvent& event) {
  Member& member = *members_[event.which];
  const auto slot = static_cast<std::uint32_t>(event.what);
  const Stored stored = std::move(stored_[slot]);
  stored_.give_back(slot);
  if (!member.alive || member.life != event.what >> 32) return;
  const TurnScope scope(*this, event.which, TurnKind::stored, static_cast<std::uint64_t>(stored.id),
                        0, digest_of_answer(stored.result));
  member.node->on_stored(turn_of(event.which), stored.id, stored.result);
}

void World::perform_action(Index node, Report& action) {
  Member& member = *members_[node];
  ++member.record.reports;
  member.done.add(digest_of_report(action));
  if (member.on_report) member.on_report(action);
  if (on_report_) on_report_(node, action);
  if (!config_.keep_reports) return;
  if (const auto* done = std::get_if<OpDone>(&action)) {
    const bool first =
        member.ended.try_emplace(done->op, calendar_.now(), member.reports.size()).second;
    KAD_CHECK(first);  // exactly one end for every operation
  }
  member.reports.push_back(std::move(action));
}

// One that is set too early wakes for nothing; moving it back on every turn would cost more.
void World::arm_timer(Index node) {
  Member& member = *members_[node];
  const Time next = std::max(member.clock.when(member.node->next_timer()), calendar_.now());
  if (next >= member.armed || next == kNever) return;
  member.armed = next;
  post(next, Kind::timer, node, member.life);
}

// --- connections: ids ascend, so what is new is last
std::optional<SocketId> World::socket(Index node, ConnId conn) const {
  const auto& sockets = members_[node]->sockets;
  const auto at = std::ranges::lower_bound(sockets, conn, {}, &std::pair<ConnId, SocketId>::first);
  if (at == sockets.end() || at->first != conn) return std::nullopt;
  return at->second;
}

void World::forget_socket(Index node, ConnId conn) {
  auto& sockets = members_[node]->sockets;
  const auto at = std::ranges::lower_bound(sockets, conn, {}, &std::pair<ConnId, SocketId>::first);
  if (at != sockets.end() && at->first == conn) sockets.erase(at);
}

void World::renumbered(HostId host, SocketToken token, SocketId socket) {
  auto& sockets = members_[host]->sockets;
  const ConnId conn{token};
  const auto at = std::ranges::lower_bound(sockets, conn, {}, &std::pair<ConnId, SocketId>::first);
  if (at != sockets.end() && at->first == conn)
    at->second = socket;
  else
    sockets.insert(at, {conn, socket});
}

// --- what the network brings
void World::dialed(HostId host, SocketToken token, const Endpoint& local) {
  Digest digest;
  mix_in(digest, local);
  const TurnScope scope(*this, host, TurnKind::dialed, token, 0, digest.value());
  members_[host]->node->on_dialed(turn_of(host), ConnId{token}, local);
}

void World::dial_failed(HostId host, SocketToken token, const Error& cause) {
  forget_socket(host, ConnId{token});
  const TurnScope scope(*this, host, TurnKind::dial_failed, token, 0,
                        static_cast<std::uint64_t>(cause.code));
  members_[host]->node->on_dial_failed(turn_of(host), ConnId{token}, cause);
}

void World::accepted(HostId host, SocketId socket, const Endpoint& local, const Endpoint& remote) {
  Digest digest;
  mix_in(digest, local);
  mix_in(digest, remote);
  const TurnScope scope(*this, host, TurnKind::accepted, 0, 0, digest.value());
  const ConnId conn = members_[host]->node->on_accepted(turn_of(host), local, remote);
  network_.adopt(socket, number(conn));
  renumbered(host, number(conn), socket);
}

void World::bytes(HostId host, SocketToken token, ByteView bytes, std::uint64_t digest) {
  const TurnScope scope(*this, host, TurnKind::bytes, token, bytes.size(),
                        digest != 0 ? digest : digest_of(bytes));
  members_[host]->node->on_bytes(turn_of(host), ConnId{token}, bytes);
}

void World::written(HostId host, SocketToken token, std::size_t count) {
  const TurnScope scope(*this, host, TurnKind::written, token, count);
  members_[host]->node->on_written(turn_of(host), ConnId{token}, count);
}

void World::closed(HostId host, SocketToken token, const Error& cause) {
  forget_socket(host, ConnId{token});
  const TurnScope scope(*this, host, TurnKind::closed, token, 0,
                        static_cast<std::uint64_t>(cause.code));
  members_[host]->node->on_closed(turn_of(host), ConnId{token}, cause);
}

}  // namespace kadmesh
