// What flows once a connection is there, and how it ends.
#include <algorithm>
#include <utility>

#include "sim/network.h"
#include "sim/network_kinds.h"

namespace kadmesh {

// --- queues of segments
std::uint32_t Network::make_segment(Bytes bytes, std::uint64_t digest) {
  const std::uint32_t index = segments_.take();
  segments_[index] = {std::move(bytes), 0, Segments::kNone, digest, {}};
  return index;
}

void Network::push(Queue& queue, std::uint32_t segment) {
  segments_[segment].next = Segments::kNone;
  (queue.empty() ? queue.first : segments_[queue.last].next) = segment;
  queue.last = segment;
}

void Network::push_front(Queue& queue, std::uint32_t segment) {
  segments_[segment].next = queue.first;
  if (queue.empty()) queue.last = segment;
  queue.first = segment;
}

std::uint32_t Network::pop(Queue& queue) {
  const std::uint32_t segment = queue.first;
  queue.first = segments_[segment].next;
  if (queue.first == Segments::kNone) queue.last = Segments::kNone;
  return segment;
}

void Network::drop(Queue& queue) {
  while (!queue.empty()) give_back(pop(queue));
}

// What has not left yet.
void Network::drop_unsent(std::uint32_t at) {
  drop(rare_way(at).unsent);
  drop(rare_way(at).up);
  way(at).backed_up = false;
}

void Network::give_back(std::uint32_t segment) {
  segments_[segment].bytes = {};
  segments_.give_back(segment);
}

// The first `size` bytes that are left of one, as a segment of their own.
std::uint32_t Network::split(std::uint32_t segment, std::size_t size) {
  Segment& from = segments_[segment];
  const ByteView first = ByteView(from.bytes).subspan(from.offset, size);
  from.offset += static_cast<std::uint32_t>(size);
  from.digest = 0;
  return make_segment(to_bytes(first));
}

// --- writing
std::size_t Network::write(SocketId socket, Bytes bytes, std::uint64_t digest) {
  const auto at = static_cast<std::uint32_t>(socket);
  if (end(at).state != State::open || bytes.empty()) return 0;
  Way& from = way(at);
  const bool answer = std::exchange(end(at).heard, false) && from.owed == 0;
  from.owed += bytes.size();
  const bool fits = !from.backed_up && from.held + bytes.size() <= link_.window;
  const std::uint32_t segment = make_segment(std::move(bytes), digest);
  if (fits) {
    const std::size_t taken = answer ? taken_at_once(at) : 0;
    take(at, segment);
    tell_written_soon(at);
    return taken;
  }
  from.backed_up = true;
  push(rare_way(at).unsent, segment);
  take_in_unsent(at);
  return 0;
}

// Of what is owed: half the time all, else a part.
std::size_t Network::taken_at_once(std::uint32_t at) {
  Way& from = way(at);
  if (!from.luck.chance_ppm(link_.taken_at_once_ppm)) return 0;
  const std::size_t taken = from.luck.below(2) == 0 ? from.owed : 1 + from.luck.below(from.owed);
  from.owed -= taken;
  return taken;
}

// The kernel takes what its window has room for.
void Network::take_in_unsent(std::uint32_t at) {
  Way& from = way(at);
  Queue& unsent = rare_way(at).unsent;
  while (!unsent.empty() && from.held < link_.window) {
    const std::size_t room = link_.window - from.held;
    take(at, segments_[unsent.first].left() <= room ? pop(unsent) : split(unsent.first, room));
  }
  from.backed_up = !unsent.empty();
  if (from.backed_up) return;
  if (end(at).state == State::flushing) {
    send_fin(at);
    leave(at);
  } else {
    tell_written_soon(at);
  }
}

void Network::take(std::uint32_t at, std::uint32_t segment) {
  Way& from = way(at);
  from.held += segments_[segment].left();
  if (rates_ && hosts_[end(at).host].up.rate > 0) {
    push(rare_way(at).up, segment);
    return wait_for(kUp, at);
  }
  depart(at, segment);
}

void Network::depart(std::uint32_t at, std::uint32_t segment) {
  if (link_.most_segment > 0 && !segments_[segment].fin()) return depart_in_pieces(at, segment);
  if (!joined(at, segment)) fly(at, segment);
}

// What one turn writes travels together, as in one call of the kernel.
bool Network::joined(std::uint32_t at, std::uint32_t segment) {
  Way& from = way(at);
  if (from.flying.empty() || from.last_write != now() || segments_[segment].fin()) return false;
  Segment& last = segments_[from.flying.last];
  const Segment& more = segments_[segment];
  if (last.fin() || last.at == now() || last.bytes.size() + more.left() > kReadSize) return false;
  append(last.bytes, ByteView(more.bytes).subspan(more.offset));
  last.digest = 0;
  give_back(segment);
  return true;
}

void Network::depart_in_pieces(std::uint32_t at, std::uint32_t segment) {
  while (segments_[segment].left() > 1) {
    const std::size_t most = std::min(link_.most_segment, segments_[segment].left());
    const std::size_t size = 1 + way(at).luck.below(most);
    if (size == segments_[segment].left()) break;
    fly(at, split(segment, size));
  }
  fly(at, segment);
}

void Network::fly(std::uint32_t at, std::uint32_t segment) {
  Way& from = way(at);
  const Duration latency = pipes_[at >> 1].latency;
  Duration wait = latency + from.luck.up_to(link_.jitter);
  Duration pause = std::max(kLeastRetransmit, 2 * latency);
  while (from.luck.chance_ppm(link_.loss_ppm) && pause < kMostRetransmit) {
    wait += pause;
    pause *= 2;
  }
  from.last_write = now();
  from.last_arrival = std::max(after(now(), wait), from.last_arrival);
  if (from.stalled) from.last_arrival = std::max(from.last_arrival, rare_way(at).stalled_until);
  segments_[segment].at = from.last_arrival;
  push(from.flying, segment);
  arm_landing(at);
}

void Network::send_fin(std::uint32_t at) {
  const std::uint32_t fin = make_segment({});
  if (rare_way(at).up.empty() && !way(at).in_up) return fly(at, fin);
  push(rare_way(at).up, fin);
  wait_for(kUp, at);
}

void Network::tell_written_soon(std::uint32_t at) {
  Way& from = way(at);
  if (from.owed == 0 || std::exchange(from.telling, true)) return;
  post(now(), Kind::tell_written, at);
}

void Network::tell_written(std::uint32_t at) {
  Way& from = way(at);
  from.telling = false;
  if (end(at).state != State::open || from.backed_up) return;
  user_.written(end(at).host, end(at).token, std::exchange(from.owed, 0));
}

// --- under way
void Network::arm_landing(std::uint32_t at) {
  Way& from = way(at);
  if (from.flying.empty() || from.landing) return;
  from.landing = true;
  post(std::max(now(), segments_[from.flying.first].at), Kind::landing, at);
}

bool Network::passes(std::uint32_t at) const {
  if (dark_ == 0 && !partitioned_ && cuts_.empty()) return true;
  const HostId to = end(other(at)).host;
  return !hosts_[to].dark && reachable(end(at).host, to);
}

void Network::on_landing(std::uint32_t at) {
  Way& from = way(at);
  from.landing = false;
  if (from.flying.empty()) return;
  if (from.stalled) from.stalled = rare_way(at).stalled_until > now();
  if (from.stalled) {
    from.landing = true;
    return post(rare_way(at).stalled_until, Kind::landing, at);
  }
  if (!passes(at)) return block(at);
  from.blocked = false;
  const std::uint32_t segment = pop(from.flying);
  arm_landing(at);
  if (!rates_ || hosts_[end(other(at)).host].down.rate == 0) return arrive(at, segment);
  push(rare_way(at).down, segment);
  wait_for(kDown, at);
}

// In the other kernel.
void Network::arrive(std::uint32_t at, std::uint32_t segment) {
  const std::uint32_t to = other(at);
  End& reader = end(to);
  if (reader.state == State::gone || reader.state == State::flushing ||
      reader.state == State::over) {
    const bool fin = segments_[segment].fin();
    give_back(segment);
    if (!fin && reader.state != State::over) send_reset(to);
    return release_if_done(at);
  }
  push(way(at).ready, segment);
  if (reader.state == State::open && reader.wanted && !reader.delivering &&
      user_.awake(reader.host))
    return deliver(to);
  deliver_soon(to);
}

void Network::deliver_soon(std::uint32_t to) {
  End& reader = end(to);
  if (reader.state != State::open || !reader.wanted || way(other(to)).ready.empty()) return;
  if (std::exchange(reader.delivering, true)) return;
  post(now(), Kind::deliver, to);
}

void Network::deliver(std::uint32_t to) {
  End& reader = end(to);
  Way& from = way(other(to));
  if (reader.state != State::open || !reader.wanted || from.ready.empty()) return;
  const std::uint32_t segment = pop(from.ready);
  if (segments_[segment].fin()) {
    give_back(segment);
    reader.state = State::over;
    reader.cause = Cause::closed;
    return tell_closed(to);
  }
  // Whoever is called may end the connection: the bytes are ours until it
  // returns.
  Bytes bytes = std::move(segments_[segment].bytes);
  std::uint64_t digest = segments_[segment].digest;
  const std::size_t alone = bytes.size();
  if (from.luck.chance_ppm(link_.coalesced_ppm)) coalesce(from, segment, bytes);
  const ByteView left = ByteView(bytes).subspan(segments_[segment].offset);
  const ByteView read = left.first(std::min(left.size(), kReadSize));
  const bool all = read.size() == left.size();
  if (!all || bytes.size() != alone) digest = 0;
  if (all)
    give_back(segment);
  else
    keep_rest(from, segment, bytes, read.size());
  ++segments_delivered_;
  bytes_delivered_ += read.size();
  reader.heard = true;
  if (2 * from.held > link_.window)
    post(after(now(), pipes_[to >> 1].latency), Kind::credit, other(to),
         static_cast<std::uint32_t>(read.size()));
  else
    credit(other(to), read.size());
  if (!from.ready.empty()) deliver_soon(to);
  user_.bytes(reader.host, reader.token, read, digest);
}

// What else is there of the stream, as far as a read goes, behind the bytes of its first segment.
void Network::coalesce(Way& from, std::uint32_t first, Bytes& bytes) {
  const std::size_t most = segments_[first].offset + kReadSize;
  while (!from.ready.empty() && bytes.size() < most) {
    Segment& next = segments_[from.ready.first];
    if (next.fin()) return;
    const std::size_t count = std::min(next.left(), most - bytes.size());
    append(bytes, ByteView(next.bytes).subspan(next.offset, count));
    next.offset += static_cast<std::uint32_t>(count);
    next.digest = 0;
    if (next.left() == 0) give_back(pop(from.ready));
  }
}

// A segment of which only the beginning was read.
void Network::keep_rest(Way& from, std::uint32_t segment, const Bytes& bytes, std::size_t read) {
  Segment& rest = segments_[segment];
  rest.bytes = to_bytes(ByteView(bytes).subspan(rest.offset + read));
  rest.offset = 0;
  rest.digest = 0;
  push_front(from.ready, segment);
}

// The other side has read so much. While less than half of the window is in use
// nobody waits for it, and its way back takes no time.
void Network::credit(std::uint32_t at, std::size_t count) {
  Way& from = way(at);
  from.held -= std::min(from.held, count);
  if (from.backed_up) take_in_unsent(at);
}

void Network::read(SocketId socket, bool wanted) {
  const auto at = static_cast<std::uint32_t>(socket);
  end(at).wanted = wanted;
  deliver_soon(at);
}

// --- held up
void Network::block(std::uint32_t at) {
  Way& from = way(at);
  if (!std::exchange(from.blocked, true)) {
    rare_way(at).blocked_since = now();
    post(after(now(), kGiveUp), Kind::give_up, at);
  }
  hosts_[end(other(at)).host].blocked.emplace_back(at, pipes_[at >> 1].life);
}

namespace {

// TCP sends again after pauses that double: when the first of them after `now`
// is.
Time next_retransmission(Time since, Time now) {
  Duration pause = kLeastRetransmit;
  while (since < now) {
    since = after(since, pause);
    pause = std::min(2 * pause, kMostRetransmit);
  }
  return since;
}

}  // namespace

void Network::unblock(HostId to) {
  for (const auto& [at, life] : std::exchange(hosts_.at(to).blocked, {})) {
    if (pipes_[at >> 1].life != life || way(at).landing || way(at).flying.empty()) continue;
    way(at).landing = true;
    rare_way(at).resumes_at = next_retransmission(rare_way(at).blocked_since, now());
    post(rare_way(at).resumes_at, Kind::landing, at);
  }
}

void Network::on_give_up(std::uint32_t at) {
  Way& from = way(at);
  if (!from.blocked || after(rare_way(at).blocked_since, kGiveUp) > now()) return;
  drop(from.flying);
  if (end(at).state == State::open || end(at).state == State::knocking)
    end_now(at, Cause::silence);
  else if (end(at).state == State::flushing)
    leave(at);
}

// --- ends
void Network::close(SocketId socket, bool abort) {
  const auto at = static_cast<std::uint32_t>(socket);
  const State state = end(at).state;
  if (state == State::gone || state == State::flushing) return;
  if (state == State::dialing || state == State::over) return abandon(at);
  if (abort || state != State::open) {
    send_reset(at);
    return leave(at);
  }
  if (!way(at).backed_up) {
    send_fin(at);
    return leave(at);
  }
  end(at).state = State::flushing;
  post(after(now(), kFlushTimeout), Kind::flush_deadline, at);
}

void Network::on_flush_deadline(std::uint32_t at) {
  if (end(at).state != State::flushing) return;
  send_reset(at);
  leave(at);
}

// Overtakes nothing that is under way, but what is still here does not leave
// any more.
void Network::send_reset(std::uint32_t from) {
  drop_unsent(from);
  const Time when = std::max(after(now(), pipes_[from >> 1].latency), way(from).last_arrival);
  post(when, Kind::reset_arrives, other(from));
}

void Network::on_reset(std::uint32_t at) {
  const std::uint32_t from = other(at);
  const Way& before = way(from);
  if (end(at).state == State::gone || !passes(from)) return;
  if (before.flying.empty() || !before.landing) return end_now(at, Cause::reset);
  Time when = std::max({now(), segments_[before.flying.last].at, rare_way(from).resumes_at});
  if (before.stalled) when = std::max(when, rare_way(from).stalled_until);
  post(when, Kind::reset_arrives, at);
}

// The kernel knows that it is over; the process will be told. What it has not
// read is lost.
void Network::end_now(std::uint32_t at, Cause cause) {
  End& of = end(at);
  if (of.state == State::opening || of.state == State::flushing) return leave(at);
  if (of.state != State::knocking && of.state != State::open) return;
  of.state = State::over;
  of.cause = cause;
  drop(way(other(at)).ready);
  drop_unsent(at);
  post(now(), Kind::tell_closed, at);
}

void Network::tell_closed(std::uint32_t at) {
  const End told = end(at);
  if (told.state != State::over) return;
  leave(at);
  user_.closed(told.host, told.token, error_of(told.cause));
}

// Of a dial, also what the other side has of it.
void Network::abandon(std::uint32_t at) {
  if (end(at).state == State::dialing && end(other(at)).state == State::opening) leave(other(at));
  leave(at);
}

// Its host knows nothing of it any more.
void Network::leave(std::uint32_t at) {
  End& of = end(at);
  if (of.state == State::gone) return;
  forget_dialed_port(at);
  of.state = State::gone;
  auto& sockets = hosts_[of.host].sockets;
  const std::uint32_t place = rare_end(at).place;
  sockets[place] = sockets.back();
  rare_end(sockets[place]).place = place;
  sockets.pop_back();
  drop(way(other(at)).ready);
  release_if_done(at);
}

void Network::release_if_done(std::uint32_t at) {
  Pipe& pipe = pipes_[at >> 1];
  if (!pipe.used) return;
  for (const End& each : pipe.ends)
    if (each.state != State::gone) return;
  for (const Way& each : pipe.ways)
    if (each.in_up || each.in_down) return;
  for (Way& each : pipe.ways)
    for (Queue* queue : {&each.flying, &each.ready}) drop(*queue);
  for (RareWay& each : pipe.rare_ways)
    for (Queue* queue : {&each.unsent, &each.up, &each.down}) drop(*queue);
  ++pipe.life;
  pipe.used = false;
  pipes_.give_back(at >> 1);
}

}  // namespace kadmesh
