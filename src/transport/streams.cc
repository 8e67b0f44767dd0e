#include "transport/streams.h"

#include <algorithm>

#include "base/check.h"
#include "transport/stream_code.h"

namespace kadmesh {

namespace {
StreamKey key_of(const Streams::Event& event) {
  return std::visit([](const auto& e) { return e.key; }, event);
}
}  // namespace

Streams::Streams(ConnId conn, const PeerId& peer, Role role,
                 std::shared_ptr<const Protocols> protocols, Duration listen_timeout, Time start)
    : conn_(conn),
      peer_(peer),
      protocols_(std::move(protocols)),
      listen_timeout_(listen_timeout),
      yamux_(role, YamuxConfig{}, start) {}

Streams::~Streams() = default;

Streams::Stream* Streams::find(StreamId id) {
  const auto at = streams_.find(id);
  return at == streams_.end() ? nullptr : &at->second;
}

Streams::Stream* Streams::owned(StreamId id) {
  Stream* stream = find(id);
  return stream && !stream->released && !listening(*stream) ? stream : nullptr;
}

void Streams::set_protocols(std::shared_ptr<const Protocols> protocols) {
  protocols_ = std::move(protocols);
}

// --- time

Time Streams::next_timer() const {
  const Time first = deadlines_.empty() ? kNever : deadlines_.begin()->first;
  return std::min(first, yamux_.next_timer());
}

void Streams::on_timer(Time now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const StreamId id = deadlines_.begin()->second;
    failed(id, streams_.at(id), {Errc::timeout, "no agreement on a protocol by the deadline"},
           stream_code::kNegotiationFailed);
  }
  yamux_.on_timer(now);
}

// --- the owner's side

Result<StreamId> Streams::open(std::span<const std::string> protocols, Time deadline) {
  if (protocols.empty() || !std::ranges::all_of(protocols, is_protocol_name)) {
    return fail(Errc::invalid, "a stream needs protocols whose names begin with '/'");
  }
  ASSIGN_OR_RETURN(const StreamId id, yamux_.open());
  MultistreamDialer dialer({protocols.begin(), protocols.end()});
  const Bytes proposal = dialer.take_output();
  const bool keeps = std::ranges::any_of(protocols, [this](const std::string& name) {
    return !protocols_->not_keeping.contains(name);
  });
  Stream& stream = streams_[id];
  stream.negotiation =
      std::make_unique<Negotiation>(Negotiation{std::move(dialer), deadline, false, {}});
  stream.ours = true;
  stream.keeps = keeps;
  stream.lazy = protocols.size() == 1;
  deadlines_.emplace(deadline, id);
  send(id, stream, proposal);
  return id;
}

// What was held or is unsent goes out first.
bool Streams::takes_writes(const Stream& stream) const {
  return (!stream.negotiation || stream.lazy) && stream.unsent.empty();
}

std::size_t Streams::write(StreamId id, ByteView bytes) {
  return write(id, bytes, [&] { return yamux_.write(id, bytes); });
}

std::size_t Streams::write_lent(StreamId id, ByteView bytes) {
  return write(id, bytes, [&] { return yamux_.write_lent(id, bytes); });
}

template <class Write>
std::size_t Streams::write(StreamId id, ByteView bytes, Write to_muxer) {
  Stream* stream = owned(id);
  if (!stream || stream->finishing || why_) return 0;
  std::size_t count = 0;
  if (takes_writes(*stream)) {
    count = to_muxer();
  } else if (stream->negotiation && !stream->lazy) {
    Bytes& held = stream->negotiation->held;
    count = std::min(bytes.size(), kMostHeld - held.size());
    append(held, bytes.first(count));
  }
  if (count < bytes.size()) stream->owes_room = true;
  return count;
}

ByteView Streams::readable(StreamId id) const {
  const auto at = streams_.find(id);
  if (at == streams_.end() || at->second.negotiation || at->second.released) return {};
  return yamux_.readable(id);
}

void Streams::consumed(Time now, StreamId id, std::size_t count) {
  if (!owned(id)) return;
  KAD_CHECK(count <= readable(id).size());
  yamux_.consumed(now, id, count);
}

void Streams::finish(StreamId id) {
  Stream* stream = owned(id);
  if (!stream || stream->finishing) return;
  stream->finishing = true;
  if (takes_writes(*stream)) flushed(id, *stream);
}

void Streams::reset(StreamId id, std::uint32_t code) {
  silence(id);
  if (!owned(id)) return;
  yamux_.reset(id, code);
  forget(id);
}

void Streams::release(StreamId id) {
  silence(id);
  Stream* stream = owned(id);
  if (!stream) return;
  if (!stream->finishing || (stream->negotiation && !stream->lazy))
    return reset(id, stream_code::kNone);
  if (!stream->unsent.empty()) {
    stream->released = true;
    return;
  }
  yamux_.release(id);
  forget(id);
}

void Streams::end(const Error& why, std::uint32_t code) {
  if (why_) return;
  why_ = why;
  // One that has ended by itself still gives out what came before.
  if (!yamux_.closed()) yamux_.go_away(code);
}

// --- the muxer's side

std::optional<Streams::Event> Streams::poll(Time now) {
  for (;;) {
    if (!news_.empty()) {
      Event event = std::move(news_.front());
      news_.erase(news_.begin());
      return event;
    }
    const auto event = yamux_.poll();
    if (!event) return std::nullopt;
    std::visit([&](const auto& e) { on(now, e); }, *event);
  }
}

void Streams::tell(const Stream& stream, Event event) {
  if (!stream.released) news_.push_back(std::move(event));
}

// Its owner has left, and wants to hear nothing of what happened before.
void Streams::silence(StreamId id) {
  std::erase_if(news_, [id](const Event& event) { return key_of(event).stream == id; });
}

void Streams::on(Time now, const YamuxSession::Opened& event) {
  if (listening_ == kMostListening) return yamux_.reset(event.id, stream_code::kResourceLimit);
  const Time deadline = after(now, listen_timeout_);
  Stream& stream = streams_[event.id];
  stream.negotiation =
      std::make_unique<Negotiation>(Negotiation{MultistreamListener(), deadline, false, {}});
  stream.ours = false;
  stream.keeps = false;
  deadlines_.emplace(deadline, event.id);
  ++listening_;
}

void Streams::on(Time now, const YamuxSession::Readable& event) {
  Stream* stream = find(event.id);
  if (!stream) return;
  if (stream->negotiation) return negotiate(now, event.id, *stream);
  if (stream->released) return drain(now, event.id);
  tell(*stream, StreamReadable{key(event.id)});
}

void Streams::drain(Time now, StreamId id) { yamux_.consumed(now, id, yamux_.readable(id).size()); }

void Streams::on(Time, const YamuxSession::Writable& event) {
  if (Stream* stream = find(event.id)) flush(event.id, *stream);
}

void Streams::on(Time, const YamuxSession::Finished& event) {
  Stream* stream = find(event.id);
  if (!stream) return;
  if (stream->negotiation) {
    return failed(event.id, *stream,
                  {Errc::closed, "the peer ended the stream before a protocol was agreed"},
                  stream_code::kNegotiationFailed);
  }
  stream->finished = true;
  tell(*stream, StreamFinished{key(event.id)});
  if (stream->finishing && stream->unsent.empty()) forget(event.id);
}

void Streams::on(Time, const YamuxSession::Reset& event) {
  Stream* stream = find(event.id);
  if (!stream) return;
  if (!stream->negotiation) {
    tell(*stream, StreamReset{key(event.id), reason(event.code)});
  } else if (stream->ours) {
    tell(*stream, OpenFailed{key(event.id), peer_, reason(event.code)});
  }
  forget(event.id);
}

Error Streams::reason(std::uint32_t code) const {
  if (why_) return *why_;
  return {Errc::reset, "the peer reset the stream, code " + std::to_string(code)};
}

// --- negotiation

void Streams::negotiate(Time now, StreamId id, Stream& stream) {
  Negotiation& negotiation = *stream.negotiation;
  const auto used = select(negotiation, yamux_.readable(id));
  const Bytes answer = std::visit([](auto& side) { return side.take_output(); }, negotiation.side);
  negotiation.answered |= !answer.empty();
  send(id, stream, answer);
  if (!used) return failed(id, stream, used.error(), stream_code::kNegotiationFailed);
  yamux_.consumed(now, id, *used);
  const std::string* name = std::visit([](auto& side) { return side.agreed(); }, negotiation.side);
  if (name) agreed(now, id, stream, *name);
}

Result<std::size_t> Streams::select(Negotiation& negotiation, ByteView bytes) const {
  if (auto* dialer = std::get_if<MultistreamDialer>(&negotiation.side)) {
    return dialer->on_bytes(bytes);
  }
  return std::get<MultistreamListener>(negotiation.side).on_bytes(bytes, protocols_->served);
}

void Streams::agreed(Time now, StreamId id, Stream& stream, const std::string& protocol) {
  tell(stream, StreamOpened{key(id), peer_, protocol, stream.ours});
  stream.keeps = !protocols_->not_keeping.contains(protocol);
  if (!stream.ours) --listening_;
  deadlines_.erase({stream.negotiation->deadline, id});
  const Bytes held = std::move(stream.negotiation->held);
  stream.negotiation.reset();
  send(id, stream, held);
  if (!stream.lazy) flush(id, stream);
  if (yamux_.readable(id).empty()) return;
  if (stream.released) return drain(now, id);
  tell(stream, StreamReadable{key(id)});
}

void Streams::failed(StreamId id, Stream& stream, const Error& why, std::uint32_t code) {
  // A reset would overtake our `na`, and a peer that wrote its request behind the proposal would
  // not learn why it was not wanted.
  if (!stream.ours && stream.negotiation->answered && why.code != Errc::timeout) {
    yamux_.finish(id);
    yamux_.release(id);
  } else {
    yamux_.reset(id, code);
  }
  if (stream.ours) tell(stream, OpenFailed{key(id), peer_, why});
  forget(id);
}

// Takes all: what the muxer has no room for now follows when it has. Only negotiations and what
// they held, so bounded.
void Streams::send(StreamId id, Stream& stream, ByteView bytes) {
  const std::size_t count = stream.unsent.empty() ? yamux_.write(id, bytes) : 0;
  append(stream.unsent, bytes.subspan(count));
}

void Streams::flush(StreamId id, Stream& stream) {
  if (!stream.unsent.empty()) {
    const Bytes unsent = std::exchange(stream.unsent, {});
    send(id, stream, unsent);
  }
  if (!takes_writes(stream)) return;
  if (stream.finishing) return flushed(id, stream);
  if (std::exchange(stream.owes_room, false)) news_.push_back(StreamWritable{key(id)});
}

// The owner's last byte is in the muxer's hands.
void Streams::flushed(StreamId id, const Stream& stream) {
  yamux_.finish(id);
  if (stream.released) yamux_.release(id);
  if (stream.released || stream.finished) forget(id);
}

void Streams::forget(StreamId id) {
  const auto at = streams_.find(id);
  const Stream& stream = at->second;
  if (stream.negotiation) deadlines_.erase({stream.negotiation->deadline, id});
  if (listening(stream)) --listening_;
  streams_.erase(at);
}

// --- what can be asked

bool Streams::in_use() const {
  return std::ranges::any_of(
      streams_, [](const auto& entry) { return entry.second.keeps && !entry.second.released; });
}

std::size_t Streams::buffered_bytes() const { return yamux_.bytes_received() + unsent_bytes(); }

std::size_t Streams::unsent_bytes() const {
  std::size_t total = yamux_.bytes_queued();
  for (const auto& [id, stream] : streams_) {
    total += stream.unsent.size();
    if (stream.negotiation) total += stream.negotiation->held.size();
  }
  return total;
}

}  // namespace kadmesh
