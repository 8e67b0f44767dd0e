#include "transport/yamux.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"

namespace kadmesh {

YamuxSession::YamuxSession(Role role, const YamuxConfig& config, Time start)
    : role_(role),
      config_(config),
      now_(start),
      next_id_(role == Role::initiator ? 1 : 2),
      window_growth_(config.window_growth),
      keepalive_(ping_interval(role, config), config.pong_timeout, start) {
  ping_ = keepalive_.due(start);
}

// The listening side waits a little longer, so that of two who are quiet one asks.
Duration YamuxSession::ping_interval(Role role, const YamuxConfig& config) {
  if (role == Role::initiator || config.ping_interval == Duration::zero())
    return config.ping_interval;
  return config.ping_interval + 2 * YamuxKeepalive::kTick;
}

// --- time

void YamuxSession::on_timer(Time now) {
  if (state_ != State::running) return;
  now_ = now;
  if (now >= frame_deadline_) {
    go_away_ = yamux_reason::kProtocol;
    return end(Error{Errc::timeout, "yamux: the rest of a frame did not come"}, 0);
  }
  if (keepalive_.dead(now)) return end(Error{Errc::timeout, "yamux: no answer to a ping"}, 0);
  if (now < keepalive_.next_timer()) return;
  cache_.clear();  // a session that is busy fills it again
  if (const auto id = keepalive_.due(now)) ping_ = id;
}

Time YamuxSession::next_timer() const {
  if (state_ != State::running) return kNever;
  return std::min(frame_deadline_, keepalive_.next_timer());
}

// --- streams

YamuxStream* YamuxSession::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

const YamuxStream* YamuxSession::find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

YamuxStream* YamuxSession::owned(StreamId id) {
  YamuxStream* stream = find(id);
  return stream != nullptr && !stream->released ? stream : nullptr;
}

YamuxStream& YamuxSession::add(StreamId id, bool ours) {
  YamuxStream& stream = streams_.try_emplace(id, id, ours, now_).first->second;
  stream.owes_flags = ours ? yamux_flag::kSyn : yamux_flag::kAck;
  stream.accepted = ours;
  ++(ours ? ours_ : unaccepted_);
  if (ours) ++unacked_;
  owe_control(stream);
  return stream;
}

bool YamuxSession::held_back(const YamuxStream& stream) const {
  return !heard_ && stream.ours && (stream.id - 1) / 2 >= config_.max_early;
}

void YamuxSession::owe_control(YamuxStream& stream) {
  if (!held_back(stream)) control_.push_back(stream);
}

void YamuxSession::owe_data(YamuxStream& stream) {
  if (!held_back(stream)) data_.push_back(stream);
}

// The peer is there and ready: what was held back goes out.
void YamuxSession::on_first_bytes() {
  heard_ = true;
  for (const auto& [id, stream] : streams_) {
    if (stream.owes_flags != yamux_flag::kSyn) continue;
    control_.push_back(stream);
    if (!stream.queued.empty()) data_.push_back(stream);
  }
}

void YamuxSession::erase(YamuxStream& stream) {
  if (lent_ == &stream) lent_ = nullptr;
  drop_received(stream);
  drop_queued(stream);
  window_growth_ += stream.window.growth();
  if (stream.ours) --ours_;
  if (stream.ours && !stream.acked) --unacked_;
  if (!stream.accepted) --unaccepted_;
  events_.remove(stream);
  control_.remove(stream);
  streams_.erase(stream.id);
}

void YamuxSession::erase_if_over(YamuxStream& stream) {
  const bool left = stream.released && stream.sending == YamuxStream::Half::ended;
  if (left || (stream.over() && stream.events == 0)) erase(stream);
}

Result<void> YamuxSession::judge_open() const {
  if (state_ != State::running) return fail(Errc::closed, "yamux: the session has ended");
  if (streams_.size() >= config_.max_streams || ours_ >= config_.max_outbound)
    return fail(Errc::limit, "yamux: too many streams on one connection");
  if (unacked_ >= config_.max_unacked)
    return fail(Errc::limit, "yamux: too many streams that the peer has not acknowledged");
  if (next_id_ > std::numeric_limits<StreamId>::max() - 2)
    return fail(Errc::limit, "yamux: this connection has used up its stream ids");
  return {};
}

Result<StreamId> YamuxSession::open() {
  RETURN_IF_ERROR(judge_open());
  const StreamId id = next_id_;
  next_id_ += 2;
  add(id, true);
  return id;
}

// --- sending

// Whoever waits for send memory is served before others may take more of it.
std::size_t YamuxSession::room(const YamuxStream& stream) const {
  if (!stream.may_write() || state_ != State::running || !waiting_.empty()) return 0;
  const std::size_t own = config_.send_queue - std::min(config_.send_queue, stream.queued.size());
  const std::size_t all = config_.send_memory - std::min(config_.send_memory, bytes_queued_);
  return std::min({std::size_t{stream.credit}, own, all});
}

std::size_t YamuxSession::budget(StreamId id) const {
  const YamuxStream* stream = find(id);
  return stream != nullptr ? room(*stream) : 0;
}

std::size_t YamuxSession::write(StreamId id, ByteView bytes) { return take_in(id, bytes, false); }

std::size_t YamuxSession::write_lent(StreamId id, ByteView bytes) {
  return take_in(id, bytes, true);
}

std::size_t YamuxSession::take_in(StreamId id, ByteView bytes, bool lent) {
  YamuxStream* stream = owned(id);
  if (stream == nullptr || !stream->may_write() || state_ != State::running) return 0;
  const std::size_t count = std::min(bytes.size(), room(*stream));
  if (count > 0) {
    enqueue(*stream, bytes.first(count), lent);
    stream->credit -= static_cast<std::uint32_t>(count);
    bytes_queued_ += count;
    owe_data(*stream);
  }
  if (count < bytes.size()) note_shortage(*stream);
  return count;
}

void YamuxSession::enqueue(YamuxStream& stream, ByteView bytes, bool lent) {
  if (!lent || lent_written_ != nullptr || !stream.queued.empty())
    return stream.queued.append(bytes, cache_);
  stream.queued.lend(bytes);
  lent_written_ = &stream;
}

void YamuxSession::keep_written() {
  if (YamuxStream* stream = std::exchange(lent_written_, nullptr)) stream->queued.keep(cache_);
}

// Credit, or its own queue as it empties, wakes the stream by itself; memory must be waited for.
void YamuxSession::note_shortage(YamuxStream& stream) {
  stream.wants_room = true;
  const bool own_room = stream.credit > 0 && stream.queued.size() < config_.send_queue;
  if (own_room) waiting_.push_back(stream);
}

void YamuxSession::offer_room(YamuxStream& stream) {
  const bool own_room = stream.credit > 0 && stream.queued.size() <= config_.send_queue / 2;
  const bool owed = stream.wants_room && stream.may_write() && state_ == State::running;
  if (!owed || !own_room || decltype(waiting_)::has(stream)) return;
  stream.wants_room = false;
  raise(stream, yamux_event::kWritable);
}

void YamuxSession::offer_memory() {
  if (bytes_queued_ > config_.send_memory / 2) return;
  while (YamuxStream* stream = waiting_.front()) {
    waiting_.remove(*stream);
    offer_room(*stream);
  }
}

void YamuxSession::finish(StreamId id) {
  YamuxStream* stream = owned(id);
  if (stream == nullptr || !stream->may_write()) return;
  stream->sending = YamuxStream::Half::ending;
  stream->wants_room = false;
  waiting_.remove(*stream);
  stream->events &= static_cast<std::uint8_t>(~yamux_event::kWritable);
  if (stream->queued.empty()) owe_control(*stream);
}

void YamuxSession::drop_queued(YamuxStream& stream) {
  if (lent_written_ == &stream) lent_written_ = nullptr;
  bytes_queued_ -= stream.queued.size();
  stream.queued.clear(cache_);
  data_.remove(stream);
  waiting_.remove(stream);
  offer_memory();
}

// --- receiving

ByteView YamuxSession::readable(StreamId id) const {
  const YamuxStream* stream = find(id);
  return stream != nullptr ? stream->received.view() : ByteView{};
}

void YamuxSession::consumed(Time now, StreamId id, std::size_t count) {
  YamuxStream* stream = owned(id);
  if (stream == nullptr || count == 0) return;
  now_ = std::max(now_, now);
  stream->received.pop(count, cache_);
  bytes_received_ -= count;
  if (stream->receiving == YamuxStream::Half::open && !stream->dead) {
    stream->owes_credit += stream->window.replenish(now_, stream->received.size(), rtt(),
                                                    config_.max_window, window_growth_);
    if (stream->owes_credit > 0) control_.push_back(*stream);
  }
  if (!stream->received.empty()) return;
  stream->events &= static_cast<std::uint8_t>(~yamux_event::kReadable);
  if (stream->receiving == YamuxStream::Half::ending) raise(*stream, yamux_event::kFinished);
  if (stream->dead) raise(*stream, yamux_event::kReset);
}

void YamuxSession::drop_received(YamuxStream& stream) {
  bytes_received_ -= stream.received.size();
  stream.received.clear(cache_);
}

// --- ends

void YamuxSession::reset(StreamId id, std::uint32_t code) {
  YamuxStream* stream = owned(id);
  if (stream == nullptr) return;
  const bool unannounced = stream->owes_flags == yamux_flag::kSyn;
  if (!unannounced && !stream->deaf()) queue_reset(id, code);
  erase(*stream);
}

void YamuxSession::release(StreamId id) {
  YamuxStream* stream = owned(id);
  if (stream == nullptr) return;
  if (stream->dead || stream->sending == YamuxStream::Half::open) return reset(id, 0);
  stream->released = true;
  stream->events = 0;
  stream->owes_credit = 0;
  events_.remove(*stream);
  drop_received(*stream);
  erase_if_over(*stream);
}

void YamuxSession::queue_reset(StreamId id, std::uint32_t code) {
  if (state_ == State::running && resets_.size() < kYamuxMostResets) resets_.push_back({id, code});
}

void YamuxSession::kill(YamuxStream& stream, std::uint32_t code) {
  queue_reset(stream.id, code);
  die(stream, code);
}

void YamuxSession::die(YamuxStream& stream, std::uint32_t code) {
  if (stream.dead) return;
  stream.dead = code;
  stream.events &= static_cast<std::uint8_t>(~yamux_event::kWritable);
  drop_queued(stream);
  control_.remove(stream);
  const bool nobody_knows = !stream.accepted && stream.receiving == YamuxStream::Half::open;
  if (stream.released || nobody_knows) return erase(stream);
  if (!stream.complete()) raise(stream, yamux_event::kReset);
}

void YamuxSession::go_away(std::uint32_t reason) {
  if (state_ == State::closed) return;
  if (state_ == State::running) go_away_ = reason;
  end(Error{Errc::closed, "yamux: ended by us"}, 0);
  close_streams();
}

void YamuxSession::end(Error why, std::uint32_t code) {
  if (state_ != State::running) return;
  state_ = State::ending;
  why_ = std::move(why);
  why_code_ = code;
  body_ = {};
  ping_.reset();
  pong_count_ = 0;
  resets_ = {};
}

void YamuxSession::close_streams() {
  state_ = State::closed;
  std::vector<StreamId> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const StreamId id : ids) {
    YamuxStream& stream = streams_.at(id);
    if (!stream.accepted || stream.released) {
      erase(stream);
      continue;
    }
    die(stream, why_code_);
    stream.events = 0;
    raise(stream, yamux_event::kReset);
  }
  cache_.clear();
}

// --- events

void YamuxSession::raise(YamuxStream& stream, std::uint8_t event) {
  if (stream.released) return;
  stream.events |= event;
  events_.push_back(stream);
}

std::optional<YamuxSession::Event> YamuxSession::poll() {
  for (;;) {
    if (events_.empty() && state_ == State::ending) close_streams();
    YamuxStream* stream = events_.front();
    if (stream == nullptr) break;
    if (stream->events != 0) return next_event(*stream);
    events_.remove(*stream);
  }
  if (state_ != State::closed || !why_) return std::nullopt;
  return Closed{*std::exchange(why_, std::nullopt)};
}

YamuxSession::Event YamuxSession::next_event(YamuxStream& stream) {
  const StreamId id = stream.id;
  const auto event = static_cast<std::uint8_t>(stream.events & -stream.events);
  stream.events &= static_cast<std::uint8_t>(~event);
  if (stream.events == 0) events_.remove(stream);
  switch (event) {
    case yamux_event::kOpened:
      stream.accepted = true;
      --unaccepted_;
      return Opened{id};
    case yamux_event::kReadable:
      return Readable{id};
    case yamux_event::kWritable:
      return Writable{id};
    case yamux_event::kFinished:
      stream.receiving = YamuxStream::Half::ended;
      erase_if_over(stream);
      return Finished{id};
    default:
      break;
  }
  KAD_CHECK(event == yamux_event::kReset);
  const Reset last{id, stream.dead.value_or(0)};
  erase(stream);
  return last;
}

}  // namespace kadmesh
