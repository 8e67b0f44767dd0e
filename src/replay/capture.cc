#include "replay/capture.h"

#include <algorithm>

#include "base/crypto.h"
#include "replay/decode.h"
#include "replay/encode.h"

namespace kadmesh {
namespace {

using replay::Decoder;
using replay::encode;

using Check = std::array<std::uint8_t, 8>;

constexpr std::string_view kBanner =
    "This file holds secrets: the private key of a kadmesh node, and all that it was told. "
    "Do not give it away.\nkadmesh capture, format 1\n";
constexpr std::string_view kRedactedBanner =
    "This file holds no keys of a kadmesh node, but all that it was told, by whom and when. Look "
    "into it before you give it away.\nkadmesh capture, format 1, redacted\n";
constexpr std::size_t kLength = 4, kHead = kLength + sizeof(Check);

enum class Record : std::uint8_t { start = 1, input, outputs, end, signature };

Bytes record_of(Record kind) { return {static_cast<std::uint8_t>(kind)}; }

std::array<std::uint8_t, kLength> length_bytes(std::size_t length) {
  std::array<std::uint8_t, kLength> out{};
  for (std::size_t i = 0; i < kLength; ++i) out[i] = static_cast<std::uint8_t>(length >> 8 * i);
  return out;
}

std::size_t length_from(ByteView bytes) {
  std::size_t length = 0;
  for (std::size_t i = kLength; i > 0; --i) length = length << 8 | bytes[i - 1];
  return length;
}

Check check_of(const Check& before, ByteView length, ByteView record) {
  const ByteView pieces[] = {before, length, record};
  const Sha256 digest = sha256(pieces);
  Check check;
  std::copy_n(digest.begin(), check.size(), check.begin());
  return check;
}

// What the encoded types look like here: a capture of other ones cannot be read.
template <class T>
void describe(std::string& out) {
  out.append(Fields<T>::kName).append("(").append(Fields<T>::kNames).append(")");
}
template <class... T>
void describe_each(std::string& out, std::type_identity<std::variant<T...>>) {
  (describe<T>(out), ...);
}

Check layout() {
  std::string text;
  describe_each(text, std::type_identity<NodeInput>());
  describe_each(
      text,
      std::type_identity<std::variant<NodeConfig, SwarmConfig, SwarmLimits, KadConfig, GossipConfig,
                                      Scoring, ScoreParams, TopicScoreParams, ScoreThresholds,
                                      PartialUse, PartialMessage, BackfillConfig, BackfillRange,
                                      BackfillPage, Error, Endpoint, StreamKey, Row>>());
  return check_of(Check(), as_bytes(text), ByteView());
}

CaptureEnding::Kind kind_of(const CaptureEnd& end) {
  return end.why == CaptureEnd::Why::closed ? CaptureEnding::Kind::closed
                                            : CaptureEnding::Kind::limit;
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

Now read_time(Decoder& in, const Now& last) {
  const auto mono = in.signed_number(), wall = in.signed_number();
  return {after(last.mono, Duration(mono)), after(last.wall, Duration(wall))};
}

CaptureOutput read_output(Decoder& in) {
  const ByteView kind = in.take(1);
  CaptureOutput output{kind.empty() ? std::uint8_t{0} : kind.front(), in.number(), {}};
  std::ranges::copy(in.take(output.digest.size()), output.digest.begin());
  return output;
}

std::optional<CaptureRecord> read_outputs(Decoder& in) {
  CaptureOutputs record{{}, in.value<bool>()};
  while (in.ok() && !in.at_end()) record.outputs.push_back(read_output(in));
  return record;
}

Result<std::variant<KeyPair, PublicKey>> read_identity(ByteView proto, bool redacted) {
  if (redacted) return PublicKey::from_proto(proto);
  return KeyPair::from_proto(proto);
}

bool begins_with(ByteView bytes, std::string_view banner) {
  return as_text(bytes).starts_with(banner);
}

Result<CaptureStart> read_start(Decoder& in, bool redacted) {
  if (in.value<Check>() != layout())
    return fail(Errc::unsupported,
                "this capture was made by another version of kadmesh, whose inputs were others");
  auto identity = read_identity(in.bytes(), redacted);
  const auto luck = in.value<Rng::Key>();
  const Now now = read_time(in, Now());
  auto config = in.value<NodeConfig>();
  if (!identity || !in.ok() || !in.at_end() || !check(config))
    return fail(Errc::malformed, "the capture's first record cannot be read");
  return CaptureStart{*std::move(identity), luck, now, std::move(config)};
}

}  // namespace

// --- writing

void CaptureWriter::start(Bytes& out, const CaptureStart& start) {
  const auto* key = std::get_if<KeyPair>(&start.identity);
  append(out, as_bytes(key ? kBanner : kRedactedBanner));
  Bytes record = record_of(Record::start);
  encode(record, layout());
  encode(record, key ? key->proto() : std::get<PublicKey>(start.identity).proto());
  encode(record, start.luck);
  time(record, start.now);
  encode(record, start.config);
  frame(out, record);
}

void CaptureWriter::input(Bytes& out, const CaptureInput& input) {
  Bytes record = record_of(Record::input);
  time(record, input.now);
  encode(record, input.input);
  frame(out, record);
}

void CaptureWriter::outputs(Bytes& out, const CaptureOutputs& outputs) {
  Bytes record = record_of(Record::outputs);
  encode(record, outputs.drained);
  for (const CaptureOutput& output : outputs.outputs) {
    record.push_back(output.kind);
    replay::encode_number(record, output.size);
    encode(record, output.digest);
  }
  frame(out, record);
}

void CaptureWriter::end(Bytes& out, const CaptureEnd& end) {
  Bytes record = record_of(Record::end);
  encode(record, end.why);
  frame(out, record);
}

void CaptureWriter::signature(Bytes& out, const CaptureSignature& signature) {
  Bytes record = record_of(Record::signature);
  encode(record, signature.signature);
  frame(out, record);
}

void CaptureWriter::frame(Bytes& out, ByteView record) {
  const auto length = length_bytes(record.size());
  check_ = check_of(check_, length, record);
  append(out, length);
  append(out, check_);
  append(out, record);
}

// As differences: a turn's time takes a few bytes.
void CaptureWriter::time(Bytes& out, Now now) {
  replay::encode_signed(out, (now.mono - last_.mono).count());
  replay::encode_signed(out, (now.wall - last_.wall).count());
  last_ = now;
}

// --- reading

std::string_view name(CaptureEnding::Kind kind) {
  constexpr std::string_view kNames[] = {"closed", "limit", "torn", "damaged"};
  return kNames[static_cast<std::size_t>(kind)];
}

CaptureReader::CaptureReader(ByteView capture, std::size_t offset, CaptureStart start)
    : capture_(capture), offset_(offset), start_(std::move(start)) {}

Result<CaptureReader> CaptureReader::open(ByteView capture) {
  const bool redacted = begins_with(capture, kRedactedBanner);
  if (!redacted && !begins_with(capture, kBanner))
    return fail(Errc::malformed, "this is no kadmesh capture of format 1");
  const Rng::Key none{};
  CaptureReader reader(capture, (redacted ? kRedactedBanner : kBanner).size(),
                       {KeyPair::from_seed({}), none, Now(), NodeConfig()});
  const auto first = reader.frame();
  if (!first || first->empty() || first->front() != static_cast<std::uint8_t>(Record::start))
    return fail(Errc::malformed, "the capture's first record is not whole: nothing to replay");
  Decoder in(first->subspan(1));
  ASSIGN_OR_RETURN(reader.start_, read_start(in, redacted));
  reader.last_ = reader.start_.now;
  return reader;
}

std::optional<CaptureRecord> CaptureReader::next() {
  if (ending_) return std::nullopt;
  const std::size_t begin = offset_;
  const auto bytes = frame();
  if (!bytes) return std::nullopt;
  auto read = record(*bytes);
  if (read && !in_order(*read)) read.reset();
  if (!read) offset_ = begin, end(CaptureEnding::Kind::damaged);
  if (const auto* last = read ? std::get_if<CaptureEnd>(&*read) : nullptr)
    return end(kind_of(*last));
  return read;
}

// Of a turn there are signatures, and then outputs once: capture.h's grammar.
bool CaptureReader::in_order(const CaptureRecord& record) {
  if (std::holds_alternative<CaptureInput>(record)) return turn_open_ = true;
  if (std::holds_alternative<CaptureOutputs>(record)) return std::exchange(turn_open_, false);
  return turn_open_ || !std::holds_alternative<CaptureSignature>(record);
}

std::nullopt_t CaptureReader::end(CaptureEnding::Kind kind) {
  ending_ = CaptureEnding{kind, offset_};
  return std::nullopt;
}

// File systems may leave zeros where data did not arrive: torn, as is what ends too early.
std::optional<ByteView> CaptureReader::frame() {
  const ByteView rest = capture_.subspan(offset_);
  if (rest.size() < kHead) return end(CaptureEnding::Kind::torn);
  const std::size_t length = length_from(rest);
  if (length > kMostCaptureRecord) return end(CaptureEnding::Kind::damaged);
  if (length > rest.size() - kHead) return end(CaptureEnding::Kind::torn);
  const ByteView record = rest.subspan(kHead, length);
  const Check check = check_of(check_, rest.first(kLength), record);
  if (!equal(check, rest.subspan(kLength, check.size())))
    return end(all_zero(rest) ? CaptureEnding::Kind::torn : CaptureEnding::Kind::damaged);
  check_ = check;
  offset_ += kHead + length;
  return record;
}

std::optional<CaptureRecord> CaptureReader::record(ByteView bytes) {
  if (bytes.empty()) return std::nullopt;
  Decoder in(bytes.subspan(1));
  std::optional<CaptureRecord> read;
  switch (Record{bytes.front()}) {
    case Record::start:
      return std::nullopt;
    case Record::input:
      last_ = read_time(in, last_);
      read = CaptureInput{last_, in.value<NodeInput>()};
      break;
    case Record::outputs:
      read = read_outputs(in);
      break;
    case Record::end:
      read = CaptureEnd{CaptureEnd::Why(in.at_most(1))};
      break;
    case Record::signature:
      read = CaptureSignature{in.value<Bytes>()};
      break;
    default:
      return std::nullopt;
  }
  return in.ok() && in.at_end() ? std::move(read) : std::nullopt;
}

}  // namespace kadmesh
