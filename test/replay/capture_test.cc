#include "replay/capture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/crypto.h"
#include "replay/code_names.h"
#include "replay/encode.h"
#include "replay/output.h"
#include "replay/pair.h"

using namespace kadmesh;

namespace {

const Now kStart{Time(5s), WallTime(1'700'000'000s)};

KeyPair someone() { return KeyPair::from_seed({1, 2, 3}); }
const PeerId& peer() {
  static const PeerId id = someone().peer_id();
  return id;
}
Multiaddr addr() { return *Multiaddr::from_text("/ip4/10.1.2.3/tcp/4001"); }
Endpoint endpoint() { return *addr().tcp_endpoint(); }
Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

// One of each, no field as it would be by itself.
std::vector<NodeInput> one_of_each() {
  const Error error{Errc::io, "why"};
  const Time by(17s);
  const StreamKey key{ConnId{9}, 3};
  const Row row{Kind::provider,
                text("key"),
                text("member"),
                text("value"),
                WallTime(1'600'000'000s),
                WallTime(1'800'000'000s),
                5,
                ~std::uint64_t{0}};
  return {
      input::Listening{ListenId{1}, {addr(), addr()}},
      input::ListenFailed{ListenId{2}, error},
      input::AddrsChanged{ListenId{3}, {addr()}},
      input::Accepted{endpoint(), endpoint()},
      input::Dialed{ConnId{4}, endpoint()},
      input::DialFailed{ConnId{5}, error},
      input::Received{ConnId{6}, as_bytes("bytes")},
      input::Written{ConnId{7}, 700},
      input::Closed{ConnId{~std::uint64_t{0}}, error},
      input::Stored{StoreOpId{8}, StoreRows{row, row}},
      input::Stored{StoreOpId{8}, fail(Errc::io, "disk")},
      input::Timer{},
      input::DriverNotice{error},
      input::Listen{endpoint()},
      input::StopListening{ListenId{1}},
      input::ConnectAddr{addr(), by},
      input::ConnectPeer{peer(), kNever},
      input::Disconnect{peer()},
      input::Ping{peer(), by},
      input::Put{text("/v/k"), text("v"), by, {.trace = true}},
      input::Get{text("/v/k"), by},
      input::Provide{text("hash"), by},
      input::FindProviders{text("hash"), 20, by},
      input::FindPeer{peer(), by},
      input::AwaitReady{3, by},
      input::OpenStream{peer(), {"/a", "/b"}, text("first"), by},
      input::Cancel{OpId{12}},
      input::Subscribe{"topic"},
      input::Unsubscribe{"topic"},
      input::Publish{"topic", text("data")},
      input::Judge{ValidationId{1}, Verdict::reject},
      input::Serve{"/a"},
      input::StopServing{"/a"},
      input::Write{key, as_bytes("bytes")},
      input::Consumed{key, 5},
      input::Finish{key},
      input::Reset{key, 0x10000001},
      input::Release{key},
      input::Shutdown{},
      input::FindClosest{text("any bytes"), by},
      input::Reachability{true},
      input::ScorePeer{peer(), -1.5},
      input::SendPartial{peer(), {"topic", {1}, {2}, {3}}},
      input::Backfill{peer(), "topic", by, {text("cursor"), 7}},
      input::TellBackfill{BackfillId{5}, BackfillPage{{text("one"), text("two")}, text("c"), true}},
      input::TellBackfill{BackfillId{6}, fail(Errc::not_found, "nothing of this topic")},
  };
}

CaptureStart start() {
  NodeConfig config = Pair::config();
  config.agent = "test/1";
  config.ping = false;
  config.swarm.limits.connections = 77;
  config.kad.seeds = {addr()};
  config.kad.policies.termination = policy_named<Termination>("all_k");
  config.kad.diversity.exempt = {SubnetRange::from_text("198.18.0.0/15").value()};
  config.gossip.message_id = sha256_message_id;
  config.gossip.policy = SignaturePolicy::strict_no_sign;
  return {someone(), {9, 8, 7}, kStart, config};
}

Bytes bytes_of(const NodeInput& input) {
  Bytes out;
  replay::encode(out, input);
  return out;
}
Bytes bytes_of(const NodeConfig& config) {
  Bytes out;
  replay::encode(out, config);
  return out;
}

struct Written {
  Bytes bytes;
  std::vector<std::size_t> ends;  // of each frame behind the first
};

Written small_capture() {
  CaptureWriter writer;
  Written written;
  const auto frame = [&](auto write) {
    write();
    written.ends.push_back(written.bytes.size());
  };
  frame([&] { writer.start(written.bytes, start()); });
  frame([&] { writer.outputs(written.bytes, {{}, true}); });
  frame([&] { writer.input(written.bytes, {kStart, input::Timer{}}); });
  frame([&] { writer.input(written.bytes, {kStart, input::Subscribe{"topic"}}); });
  frame([&] { writer.outputs(written.bytes, {{{1, 2, {3}}}, false}); });
  frame([&] { writer.end(written.bytes, {CaptureEnd::Why::closed}); });
  return written;
}

struct Read {
  std::size_t records = 0;
  CaptureEnding ending{};
};

std::optional<Read> read(ByteView capture) {
  auto reader = CaptureReader::open(capture);
  if (!reader) return std::nullopt;
  Read read;
  while (reader->next()) ++read.records;
  read.ending = reader->ending();
  return read;
}

}  // namespace

TEST_CASE("capture: every kind of input comes back as it was") {
  const auto inputs = one_of_each();
  std::set<std::size_t> kinds;
  CaptureWriter writer;
  Bytes capture;
  writer.start(capture, start());
  Now now = kStart;
  for (const NodeInput& input : inputs) {
    now = {now.mono + 3ns, now.wall - 1s};  // the wall clock may go back
    writer.input(capture, {now, input});
    kinds.insert(input.index());
  }
  CHECK(kinds.size() == std::variant_size_v<NodeInput>);
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  now = kStart;
  for (const NodeInput& input : inputs) {
    CAPTURE(to_text(input));
    const auto record = reader->next();
    REQUIRE(record);
    const auto& got = std::get<CaptureInput>(*record);
    now = {now.mono + 3ns, now.wall - 1s};
    CHECK(got.now.mono == now.mono);
    CHECK(got.now.wall == now.wall);
    CHECK(got.input.index() == input.index());
    CHECK(bytes_of(got.input) == bytes_of(input));
    CHECK(to_text(got.input) == to_text(input));
  }
  CHECK_FALSE(reader->next());
}

TEST_CASE("capture: the start comes back as it was, code by its name") {
  Bytes capture;
  CaptureWriter().start(capture, start());
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  const CaptureStart& got = reader->start();
  CHECK(std::get<KeyPair>(got.identity).peer_id() == someone().peer_id());
  CHECK(got.luck == start().luck);
  CHECK(got.now.mono == kStart.mono);
  CHECK(bytes_of(got.config) == bytes_of(start().config));
  CHECK(got.config.agent == "test/1");
  CHECK(got.config.swarm.limits.connections == 77);
  CHECK(replay::code_of(got.config.gossip.message_id) == replay::code_of(sha256_message_id));
  CHECK(got.config.kad.validators.accepts(text("/v/x")));
  CHECK(name_of(got.config.kad.policies.termination) == "all_k");
  CHECK(got.config.kad.diversity.exempt == start().config.kad.diversity.exempt);
}

TEST_CASE("capture: a redacted one has the public key, and signatures") {
  CaptureWriter writer;
  Bytes capture;
  CaptureStart redacted = start();
  redacted.identity = someone().public_key();
  writer.start(capture, redacted);
  writer.signature(capture, {text("signature")});
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  CHECK(std::get<PublicKey>(reader->start().identity) == someone().public_key());
  CHECK(std::get<CaptureSignature>(*reader->next()).signature == text("signature"));
}

TEST_CASE("capture: outputs and the end come back as they were") {
  CaptureWriter writer;
  Bytes capture;
  writer.start(capture, start());
  const std::vector<CaptureOutput> outputs{{0, 1, {1, 2, 3}}, {200, 1'000'000, {9}}};
  writer.outputs(capture, {outputs, true});
  writer.input(capture, {start().now, input::Timer{}});
  writer.outputs(capture, {{}, false});
  writer.end(capture, {CaptureEnd::Why::limit});
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  const auto first = std::get<CaptureOutputs>(*reader->next());
  CHECK(first.outputs == outputs);
  CHECK(first.drained);
  CHECK(std::holds_alternative<CaptureInput>(*reader->next()));
  const auto second = std::get<CaptureOutputs>(*reader->next());
  CHECK(second.outputs.empty());
  CHECK_FALSE(second.drained);
  CHECK_FALSE(reader->next());
  CHECK(reader->ending().kind == CaptureEnding::Kind::limit);
  CHECK(reader->ending().offset == capture.size());
}

TEST_CASE("capture: a turn whose outputs come twice is damage") {
  CaptureWriter writer;
  Bytes capture;
  writer.start(capture, start());
  writer.outputs(capture, {{}, false});
  const std::size_t good = capture.size();
  writer.outputs(capture, {{}, false});
  writer.input(capture, {start().now, input::Timer{}});
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  CHECK(reader->next());
  CHECK_FALSE(reader->next());
  CHECK(reader->ending().kind == CaptureEnding::Kind::damaged);
  CHECK(reader->ending().offset == good);
}

TEST_CASE("capture: it begins with a sentence that says what it holds") {
  Bytes capture;
  CaptureWriter().start(capture, start());
  CHECK(as_text(capture).starts_with("This file holds secrets: "));
}

TEST_CASE("capture: torn anywhere, all that is whole is read") {
  const Written written = small_capture();
  for (std::size_t size = 0; size < written.bytes.size(); ++size) {
    CAPTURE(size);
    const Bytes torn(written.bytes.begin(), written.bytes.begin() + static_cast<long>(size));
    const auto got = read(torn);
    const auto whole = static_cast<std::size_t>(
        std::ranges::count_if(written.ends, [&](std::size_t end) { return end <= size; }));
    REQUIRE(got.has_value() == (whole > 0));
    if (!got) continue;
    CHECK(got->records == whole - 1);
    CHECK(got->ending.kind == CaptureEnding::Kind::torn);
    CHECK(got->ending.offset == written.ends[whole - 1]);
  }
  CHECK(read(written.bytes)->ending.kind == CaptureEnding::Kind::closed);
}

TEST_CASE("capture: zeros that a file system left are a torn end") {
  const Written written = small_capture();
  for (const std::size_t frames : {std::size_t{1}, std::size_t{3}}) {
    Bytes torn(written.bytes.begin(),
               written.bytes.begin() + static_cast<long>(written.ends[frames]));
    torn.resize(torn.size() + 100);
    const auto got = read(torn);
    REQUIRE(got);
    CHECK(got->records == frames);
    CHECK(got->ending.kind == CaptureEnding::Kind::torn);
    CHECK(got->ending.offset == written.ends[frames]);
  }
}

TEST_CASE("capture: no changed byte passes for a good one") {
  const Written written = small_capture();
  for (std::size_t at = 0; at < written.bytes.size(); ++at) {
    CAPTURE(at);
    Bytes changed = written.bytes;
    changed[at] ^= 0x10;
    const auto got = read(changed);
    const auto frame = static_cast<std::size_t>(
        std::ranges::count_if(written.ends, [&](std::size_t end) { return end <= at; }));
    REQUIRE(got.has_value() == (frame > 0));
    if (!got) continue;
    CHECK(got->records == frame - 1);
    CHECK(got->ending.kind != CaptureEnding::Kind::closed);
    CHECK(got->ending.offset == written.ends[frame - 1]);
  }
}

TEST_CASE("capture: a frame that is missing or out of place is damage") {
  const Written written = small_capture();
  const auto begin = written.bytes.begin();
  const auto end_of = [&](std::size_t frame) { return static_cast<long>(written.ends[frame]); };
  Bytes without(begin, begin + end_of(1));
  without.insert(without.end(), begin + end_of(2), written.bytes.end());
  CHECK(read(without)->records == 1);
  CHECK(read(without)->ending.kind == CaptureEnding::Kind::damaged);
  Bytes twice(begin, begin + end_of(2));
  twice.insert(twice.end(), begin + end_of(1), written.bytes.end());
  CHECK(read(twice)->records == 2);
  CHECK(read(twice)->ending.kind == CaptureEnding::Kind::damaged);
}

TEST_CASE("output: neither a connection's secrets nor a peer's escape bytes are shown") {
  const std::string secret(64, 'a');
  const std::string key = to_text(NodeAction(KeyLogLine{"NOISE " + secret}));
  CHECK(key.starts_with("KeyLogLine line=70 B #"));
  CHECK(key.find(secret.substr(0, 32)) == std::string::npos);
  const std::string told =
      to_text(NodeAction(Report(PeerDisconnected{peer(), {Errc::protocol, "said \x1b[2J\n"}})));
  CHECK(told.find("protocol: \"said ?[2J?\"") != std::string::npos);
}

TEST_CASE("capture: a configuration with code of one's own cannot be recorded") {
  CHECK(replay::recordable(Pair::config()));
  NodeConfig config = Pair::config();
  config.gossip.message_id = [](const MessageView& view) { return to_bytes(view.data); };
  CHECK(replay::recordable(config) == fail(Errc::unsupported));
  class Own final : public Validator {
    Result<void> validate(ByteView, ByteView, WallTime) const override { return {}; }
    std::size_t select(ByteView, std::span<const Bytes>) const override { return 0; }
  };
  config = Pair::config();
  config.kad.validators.set("own", std::make_shared<Own>());
  CHECK(replay::recordable(config) == fail(Errc::unsupported));
  config = Pair::config();
  CHECK(replay::recordable(config));
  config.kad.policies.metric = std::make_shared<ClockwiseMetric>();
  CHECK(replay::recordable(config) == fail(Errc::unsupported));
}
