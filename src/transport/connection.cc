#include "transport/connection.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kadmesh {

namespace {
// A Noise message costs a prefix and a tag; for fewer bytes of data than this it is not worth it.
constexpr std::size_t kMessageOverhead = kNoisePrefixSize + kAeadTagSize;
constexpr std::size_t kLeastMessage = 1024;
// For the headers of what is queued, so that a message rarely moves while it grows.
constexpr std::size_t kControlRoom = 4 * kYamuxHeaderSize;

std::variant<MultistreamDialer, MultistreamListener> select(Security security, Role role) {
  if (role == Role::responder) return MultistreamListener();
  return MultistreamDialer({std::string(protocol_name(security))});
}

// What a listener agrees to.
const std::vector<std::string>& served(Security security) {
  static const std::vector<std::string> kNoise{std::string(kNoiseProtocol)};
  static const std::vector<std::string> kPlain{std::string(kPlainProtocol)};
  return security == Security::plain ? kPlain : kNoise;
}

std::unexpected<Error> no_agreement(Security security, const Error& why) {
  return fail(why.code,
              "no agreement on " + std::string(protocol_name(security)) + ": " + why.detail);
}

bool names_yamux(const std::vector<std::string>& muxers) {
  return std::ranges::find(muxers, kYamuxProtocol) != muxers.end();
}

// Whether we blame the peer.
std::uint32_t goodbye_for(Errc why) {
  const bool fault = why == Errc::malformed || why == Errc::protocol || why == Errc::auth;
  return fault ? yamux_reason::kProtocol : yamux_reason::kNormal;
}
}  // namespace

Connection::Up::Up(const ConnectionSetup& setup, SecureSession session, bool agreed_early,
                   Time start)
    : key(std::move(session.remote.key)),
      peer(session.remote.peer),
      early(agreed_early),
      send(std::move(session.send)),
      receive(std::move(session.receive)),
      streams(setup.id, peer, setup.role, setup.protocols, setup.stream_timeout, start) {}

// Header, proposal and Noise message 1 are one flight: there is one security protocol to propose.
Connection::Connection(ConnectionSetup setup, Rng& luck, Time now)
    : setup_(std::move(setup)),
      stack_(Securing{
          select(setup_.security, setup_.role),
          SecureHandshake(setup_.security, setup_.role, *setup_.noise, luck, setup_.expected)}),
      progress_(now),
      forms_(setup_.plain_forms ? std::make_unique<PlainForms>() : nullptr) {
  auto& phase = std::get<Securing>(stack_);
  put_selection(phase);
  put_handshake(phase);
}

Connection::~Connection() = default;

// --- state

Connection::Phase Connection::phase() const {
  if (cause_) return goodbye_taken_ ? Phase::gone : Phase::closing;
  if (std::holds_alternative<Securing>(stack_)) return Phase::securing;
  return std::holds_alternative<Muxing>(stack_) ? Phase::muxing : Phase::up;
}

Connection::Up& Connection::up() {
  auto* phase = std::get_if<Up>(&stack_);
  KAD_CHECK(phase != nullptr);
  return *phase;
}

const Connection::Up& Connection::up() const {
  const auto* phase = std::get_if<Up>(&stack_);
  KAD_CHECK(phase != nullptr);
  return *phase;
}

const PeerId* Connection::peer() const {
  const auto* phase = std::get_if<Up>(&stack_);
  return phase ? &phase->peer : nullptr;
}

const Error& Connection::cause() const {
  KAD_CHECK(cause_.has_value());
  return *cause_;
}

bool Connection::opening() const {
  const auto* phase = std::get_if<Up>(&stack_);
  return !phase || phase->proposal;
}

bool Connection::selecting() const {
  const auto* phase = std::get_if<Securing>(&stack_);
  const auto undecided = [](const auto& side) { return side.agreed() == nullptr; };
  return phase && std::visit(undecided, phase->selection);
}

void Connection::set_protocols(std::shared_ptr<const Protocols> protocols) {
  setup_.protocols = std::move(protocols);
  if (auto* phase = std::get_if<Up>(&stack_)) phase->streams.set_protocols(setup_.protocols);
}

std::size_t Connection::buffered_bytes() const {
  const auto* phase = std::get_if<Up>(&stack_);
  return handshake_.size() + (phase ? phase->streams.buffered_bytes() : 0);
}

std::optional<std::string> Connection::take_keylog() { return std::exchange(keylog_, {}); }

// --- input

void Connection::on_bytes(Time now, ByteView bytes) {
  lend(now, bytes);
  keep();
}

void Connection::keep() {
  auto* phase = std::get_if<Up>(&stack_);
  if (!phase) return;
  phase->streams.keep();
  phase->receive.release();
}

void Connection::keep_written() {
  if (auto* phase = std::get_if<Up>(&stack_)) phase->streams.keep_written();
}

void Connection::lend(Time now, ByteView bytes) {
  while (!cause_ && !bytes.empty()) {
    if (auto result = read(now, bytes); !result)
      return die(result.error(), goodbye_for(result.error().code));
  }
}

Result<void> Connection::read(Time now, ByteView& bytes) {
  return std::visit([&](auto& phase) { return read(now, phase, bytes); }, stack_);
}

// A flight is answered as a whole: the answer to the proposal and to Noise 1 leave together.
Result<void> Connection::read(Time now, Securing& phase, ByteView& bytes) {
  const auto select = [&](auto& side) -> Result<std::size_t> {
    if constexpr (std::is_same_v<decltype(side), MultistreamListener&>) {
      return side.on_bytes(bytes, served(setup_.security));
    } else {
      return side.on_bytes(bytes);
    }
  };
  const auto selected = std::visit(select, phase.selection);
  if (forms_) append(forms_->opened, selected ? bytes.first(*selected) : bytes);
  put_selection(phase);
  if (!selected) return no_agreement(setup_.security, selected.error());
  bytes = bytes.subspan(*selected);
  if (bytes.empty()) return {};
  const auto used = phase.handshake.on_bytes(bytes);
  if (!used) return insecure(used.error());
  bytes = bytes.subspan(*used);
  show_handshake(phase, put_handshake(phase));
  return phase.handshake.done() ? secured(now, phase.handshake.take()) : Result<void>();
}

Result<void> Connection::secured(Time now, SecureSession session) {
  if (setup_.keylog && session.secrets) keylog_ = keylog_line(*session.secrets);
  const bool early = setup_.early_muxer && names_yamux(session.remote.muxers);
  if (!early && setup_.role == Role::responder) {
    stack_.emplace<Muxing>(std::move(session), MultistreamListener());
    return {};
  }
  go_up(now, std::move(session), early);
  return early ? Result<void>() : propose_muxer(up());
}

void Connection::go_up(Time now, SecureSession session, bool agreed_early) {
  stack_.emplace<Up>(setup_, std::move(session), agreed_early, now);
}

// In the flight of Noise message 3, with the first frames behind it.
Result<void> Connection::propose_muxer(Up& phase) {
  phase.proposal.emplace(std::vector{std::string(kYamuxProtocol)});
  return seal_early(phase.send, phase.proposal->take_output());
}

Result<void> Connection::read(Time now, Muxing& phase, ByteView& bytes) {
  ASSIGN_OR_RETURN(auto plain, open(phase.session.receive, bytes));
  if (!plain) return {};
  static const std::vector<std::string> kServed{std::string(kYamuxProtocol)};
  ASSIGN_OR_RETURN(const std::size_t used, phase.selection.on_bytes(*plain, kServed));
  RETURN_IF_ERROR(seal_early(phase.session.send, phase.selection.take_output()));
  if (!phase.selection.agreed()) return {};
  // The view of the rest belongs to the opener, which moves.
  const Bytes rest = to_bytes(plain->subspan(used));
  go_up(now, SecureSession(std::move(phase.session)), false);
  return up().streams.on_bytes(now, rest);
}

// What a message has lent goes with the next one.
Result<void> Connection::read(Time now, Up& phase, ByteView& bytes) {
  phase.streams.keep();
  ASSIGN_OR_RETURN(auto plain, open(phase.receive, bytes));
  if (!plain) return {};
  if (phase.proposal) RETURN_IF_ERROR(read_proposal_answer(phase, *plain));
  if (!plain->empty()) RETURN_IF_ERROR(phase.streams.lend(now, *plain));
  if (const Error* why = phase.streams.ended()) return std::unexpected(*why);
  return {};
}

Result<void> Connection::read_proposal_answer(Up& phase, ByteView& plain) {
  ASSIGN_OR_RETURN(const std::size_t used, phase.proposal->on_bytes(plain));
  plain = plain.subspan(used);
  if (phase.proposal->agreed()) phase.proposal.reset();
  return {};
}

void Connection::on_written(Time now, std::size_t count) {
  if (count == 0) return;
  in_flight_ -= std::min(count, in_flight_);
  progress_ = now;
}

void Connection::on_pipe_ended(const Error& cause) {
  die(cause, yamux_reason::kNormal);
  drop_handshake();
  goodbye_taken_ = true;
}

// --- time

Time Connection::open_deadline() const { return opening() ? setup_.open_deadline : kNever; }

Time Connection::stall_deadline() const {
  return in_flight_ > 0 ? after(progress_, kWriteStall) : kNever;
}

Time Connection::next_timer() const {
  if (cause_) return kNever;
  const auto* phase = std::get_if<Up>(&stack_);
  const Time streams = phase ? phase->streams.next_timer() : kNever;
  return std::min({streams, open_deadline(), stall_deadline()});
}

void Connection::on_timer(Time now) {
  if (cause_) return;
  if (open_deadline() <= now) {
    return die({Errc::timeout, "the handshake was not finished in time"}, yamux_reason::kNormal);
  }
  if (stall_deadline() <= now) {
    return die({Errc::timeout, "the peer takes no bytes"}, yamux_reason::kNormal);
  }
  auto* phase = std::get_if<Up>(&stack_);
  if (!phase) return;
  phase->streams.on_timer(now);
  if (const Error* why = phase->streams.ended()) die(Error(*why), yamux_reason::kNormal);
}

// --- what is sent before there are streams

void Connection::put_selection(Securing& phase) {
  const Bytes bytes = std::visit([](auto& side) { return side.take_output(); }, phase.selection);
  append(handshake_, bytes);
  if (forms_) append(forms_->sent, bytes);
}

// Whether there was a message.
bool Connection::put_handshake(Securing& phase) {
  const Bytes message = phase.handshake.take_output();
  append(handshake_, message);
  if (!forms_ || message.empty()) return !message.empty();
  using enum NoiseXX::Message;
  const bool opening = message.size() == kNoisePrefixSize + NoiseXX::kFirstSize;
  if (opening)
    put_plain_handshake(forms_->sent, first, {});
  else
    put_plain_handshake(forms_->sent, setup_.role == Role::initiator ? third : second,
                        setup_.noise->payload);
  return true;
}

Result<void> Connection::seal_early(Sealer& send, ByteView plain) {
  if (forms_) put_plain_message(forms_->sent, plain);
  return send.seal(plain, handshake_);
}

void Connection::drop_handshake() {
  handshake_ = Bytes();
  if (forms_) forms_->sent = Bytes();
}

// --- plain forms

// A responder answers the first message, and is done with the third.
void Connection::show_handshake(const Securing& phase, bool answered) {
  if (!forms_) return;
  using enum NoiseXX::Message;
  const bool responder = setup_.role == Role::responder;
  if (responder && answered) put_plain_handshake(forms_->opened, first, {});
  if (phase.handshake.done())
    put_plain_handshake(forms_->opened, responder ? third : second,
                        phase.handshake.remote_payload());
}

Result<std::optional<ByteView>> Connection::open(Opener& receive, ByteView& bytes) {
  auto plain = receive.next(bytes);
  if (!plain) return insecure(plain.error());
  if (forms_ && *plain) put_plain_message(forms_->opened, **plain);
  return plain;
}

std::unexpected<Error> Connection::insecure(const Error& why) {
  if (forms_) put_plain_fault(forms_->opened, why);
  return std::unexpected(why);
}

Bytes Connection::take_opened_form() {
  return forms_ ? std::exchange(forms_->opened, {}) : Bytes();
}
Bytes Connection::take_sent_form() { return forms_ ? std::exchange(forms_->sent, {}) : Bytes(); }

// --- output

Bytes Connection::take_output(Time now) {
  Bytes out = std::move(handshake_);
  handshake_ = Bytes();
  if (auto* phase = std::get_if<Up>(&stack_)) seal(*phase, out);
  keep_written();
  if (cause_) goodbye_taken_ = true;
  if (in_flight_ == 0 && !out.empty()) progress_ = now;
  in_flight_ += out.size();
  return out;
}

// Frames go straight into the buffer that leaves, and are sealed there.
void Connection::seal(Up& phase, Bytes& out) {
  for (bool behind = in_flight_ > 0; phase.streams.wants_output(); behind = true) {
    const std::size_t used = in_flight_ + out.size() + kMessageOverhead;
    if (used + kLeastMessage > kWriteBudget) return;
    const std::size_t most = std::min(kMostNoisePlain, kWriteBudget - used);
    const std::size_t expected = std::min(most, phase.streams.queued_bytes() + kControlRoom);
    if (behind && expected < most && !cause_) return;
    out.reserve(out.size() + expected + kMessageOverhead);
    const std::size_t start = phase.send.begin(out);
    const std::size_t taken = phase.streams.take_output(out, most);
    if (forms_) put_plain_message(forms_->sent, ByteView(out).subspan(start + kNoisePrefixSize));
    auto sealed = phase.send.end(out, start);
    if (!sealed) return die(sealed.error(), yamux_reason::kInternal);
    if (taken == 0) return;
  }
}

bool Connection::wants_input() const {
  const auto* phase = std::get_if<Up>(&stack_);
  return cause_ || !phase || phase->streams.wants_input();
}

std::optional<Streams::Event> Connection::poll(Time now) {
  auto* phase = std::get_if<Up>(&stack_);
  return phase ? phase->streams.poll(now) : std::nullopt;
}

// --- the end

void Connection::close(const Error& why) { die(why, goodbye_for(why.code)); }

void Connection::die(const Error& why, std::uint32_t goodbye) {
  if (cause_) return;
  cause_ = why;
  if (!selecting()) drop_handshake();
  if (auto* phase = std::get_if<Up>(&stack_)) phase->streams.end(why, goodbye);
}

}  // namespace kadmesh
