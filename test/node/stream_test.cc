// Streams of users' own protocols, in virtual time.
#include "base/framing.h"
#include "base/varint.h"
#include "kad/params.h"
#include "kad/wire.h"
#include "node/identify.h"
#include "node/identify_wire.h"
#include "node/kad_streams.h"
#include "town.h"

namespace kadmesh {
namespace {

constexpr const char* kWords = "/words/1";

struct Callers : Town {
  Callers() {
    meet(asker, answerer);
    command(answerer, [](Node& n, Turn t) { n.serve(t, kWords); });
  }

  OpId open(Bytes first) {
    return start(asker, [&](Node& n, Turn t, Time by) {
      return n.open_stream(t, id(answerer), {kWords}, by, first);
    });
  }
  // What has come on the answerer's side.
  Bytes heard() const {
    for (const Report& report : reports(answerer))
      if (const auto* stream = std::get_if<StreamIncoming>(&report))
        return to_bytes(node(answerer).readable(stream->key));
    return {};
  }

  // As a program could that speaks the protocol as it likes.
  StreamKey speak(std::string_view protocol) {
    const auto key = speaks(protocol);
    REQUIRE(key);
    return *key;
  }
  // None: it was refused.
  std::optional<StreamKey> speaks(std::string_view protocol) {
    const OpId op = start(asker, [&](Node& n, Turn t, Time by) {
      return n.open_stream(t, id(answerer), {std::string(protocol)}, by);
    });
    REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
    const auto& opened = result(asker, op)->result;
    if (!opened) return std::nullopt;
    return std::get<StreamReport>(*opened).key;
  }
  void says(StreamKey key, ByteView bytes) {
    command(asker, [&](Node& n, Turn t) { return n.write(t, key, bytes); });
  }
  bool was_reset(StreamKey key) const {
    return std::ranges::any_of(reports(asker), [&](const Report& report) {
      const auto* event = std::get_if<StreamEvent>(&report);
      const auto* reset = event ? std::get_if<StreamReset>(event) : nullptr;
      return reset && reset->key == key;
    });
  }
  // Pushes what the messages say of the asker, and ends the stream.
  StreamKey push(const std::vector<IdentifyMessage>& messages) {
    const auto key = pushes(messages);
    REQUIRE(key);
    return *key;
  }
  std::optional<StreamKey> pushes(const std::vector<IdentifyMessage>& messages) {
    const auto key = speaks(kIdentifyPushProtocol);
    if (!key) return std::nullopt;
    Bytes framed;
    for (const IdentifyMessage& message : messages)
      put_frame(framed, encode_identify(message).front());
    says(*key, framed);
    command(asker, [&](Node& n, Turn t) { n.finish(t, *key); });
    run_for(100ms);
    return key;
  }
  std::string agent() { return node(answerer).info(id(asker)).value().agent; }

  const Index asker = citizen(), answerer = citizen();
};

// The same but for the agent's name, and `protocols` more.
IdentifyMessage named(const std::string& agent, std::size_t protocols = 0) {
  IdentifyMessage message;
  message.agent = agent;
  for (std::size_t i = 0; i < protocols; ++i)
    message.protocols.push_back("/p/" + std::to_string(i));
  return message;
}

}  // namespace

TEST_CASE_FIXTURE(Callers, "stream: what it begins with is there when the protocol is agreed") {
  const OpId op = open(text("question"));
  REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
  CHECK(result(asker, op)->result.has_value());
  CHECK(heard() == text("question"));
}

TEST_CASE_FIXTURE(Callers, "stream: refused, whatever it began with") {
  command(answerer, [](Node& n, Turn t) { n.stop_serving(t, kWords); });
  const OpId op = open(text("question"));
  REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
  CHECK(error(asker, op).code == Errc::unsupported);
}

TEST_CASE_FIXTURE(Callers, "stream: it may begin with kMostFirstBytes") {
  const OpId op = open(Bytes(kMostFirstBytes));
  REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
  CHECK(result(asker, op)->result.has_value());
  CHECK(heard().size() == kMostFirstBytes);
}

TEST_CASE_FIXTURE(Callers, "stream: with a byte more it fails at once, and nobody hears of it") {
  command(asker, [&](Node& n, Turn t) { n.disconnect(t, id(answerer)); });
  const OpId op = open(Bytes(kMostFirstBytes + 1));
  REQUIRE(ended(asker, op));
  CHECK(error(asker, op).code == Errc::limit);
  run_for(1s);
  CHECK(node(asker).connections().empty());
  CHECK(heard().empty());
}

// As a peer could that keeps a request of the largest size in our memory for ever.
TEST_CASE_FIXTURE(Callers, "stream: one that both have finished is forgotten with its connection") {
  const OpId op = open(text("question"));
  REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
  const StreamKey key = std::get<StreamReport>(*result(asker, op)->result).key;
  command(asker, [&](Node& n, Turn t) { n.finish(t, key); });
  run_for(1s);
  for (const Report& report : std::vector(reports(answerer)))
    if (const auto* stream = std::get_if<StreamIncoming>(&report))
      command(answerer, [&](Node& n, Turn t) {
        n.consumed(t, stream->key, n.readable(stream->key).size());
        n.finish(t, stream->key);
      });
  run_for(1s);
  CHECK(node(asker).leftovers().find("user streams 1") != std::string::npos);
  command(asker, [&](Node& n, Turn t) { n.disconnect(t, id(answerer)); });
  run_for(1s);
  CHECK(node(asker).leftovers().find("user streams") == std::string::npos);
  CHECK(node(answerer).leftovers().find("user streams") == std::string::npos);
}

TEST_CASE_FIXTURE(Callers, "kad streams: a request that comes a byte at a time ends its stream") {
  const OpId op = start(asker, [&](Node& n, Turn t, Time by) {
    return n.open_stream(t, id(answerer), {config().kad.protocol}, by, Bytes{0x80, 0x01});
  });
  REQUIRE(run_until([&] { return ended(asker, op); }, 2s));
  const StreamKey key = std::get<StreamReport>(*result(asker, op)->result).key;
  const auto reset = [&] {
    return std::ranges::any_of(reports(asker), [&](const Report& report) {
      const auto* event = std::get_if<StreamEvent>(&report);
      return event && std::holds_alternative<StreamReset>(*event);
    });
  };
  for (int i = 0; i < 4; ++i) {
    run_for(20s);
    CHECK_FALSE(reset());
    command(asker, [&](Node& n, Turn t) { n.write(t, key, Bytes{0}); });
  }
  run_for(20s);
  CHECK(reset());
}

// The specification's "RPC messages": go's client asks all on one stream.
TEST_CASE_FIXTURE(Callers, "kad streams: requests on one stream are answered, each in its turn") {
  const StreamKey key = speak(config().kad.protocol);
  const auto answers = [&](const std::vector<KadMessage>& requests) {
    Bytes framed;
    for (const KadMessage& request : requests) put_frame(framed, encode_request(request));
    says(key, framed);
    run_for(1s);
    ByteView came = node(asker).readable(key);
    const std::size_t size = came.size();
    FrameReader frames(kMostReply);
    std::vector<KadMessage> read;
    while (const auto next = *frames.next(came)) read.push_back(decode_kad(*next, {}).value());
    command(asker, [&](Node& n, Turn t) { n.consumed(t, key, size); });
    return read;
  };
  // What must wait for the store is overtaken by nothing; ADD_PROVIDER has no answer.
  const KadPeer us{id(asker), {bare_addr(asker)}, {}};
  const auto four = answers({{KadType::get_value, text("/v/a"), {}, {}, {}},
                             {KadType::find_node, text("b"), {}, {}, {}},
                             {KadType::add_provider, text("c"), {}, {}, {us}},
                             {KadType::get_providers, text("c"), {}, {}, {}},
                             {KadType::ping, {}, {}, {}, {}}});
  REQUIRE(four.size() == 4);
  CHECK(four[0].type == KadType::get_value);
  CHECK(four[0].key == text("/v/a"));
  CHECK(four[1].type == KadType::find_node);
  CHECK(four[2].providers == std::vector{KadPeer{us.id, us.addrs, Connectedness::connected}});
  CHECK(four[3].type == KadType::ping);
  run_for(KadStreams::kIdle - 10s);
  const auto later = answers({{KadType::get_value, text("/v/b"), {}, {}, {}}});
  REQUIRE(later.size() == 1);
  CHECK(later[0].key == text("/v/b"));
}

TEST_CASE_FIXTURE(Callers, "H28: whoever asks who we are again and again gets the same signature") {
  const auto ask = [&] {
    const OpId op = start(asker, [&](Node& n, Turn t, Time by) {
      return n.open_stream(t, id(answerer), {std::string(kIdentifyProtocol)}, by);
    });
    run_for(1s);
    const StreamKey key = std::get<StreamReport>(*result(asker, op)->result).key;
    return to_bytes(node(asker).readable(key));
  };
  const Bytes first = ask();
  REQUIRE_FALSE(first.empty());
  CHECK(ask() == first);
}

TEST_CASE_FIXTURE(Callers, "H28: of a flood of pushes ten are heard, and then one in 5 s") {
  run_for(1s);
  for (std::size_t i = 0; i < Identify::kPushBurst + 5; ++i) {
    const std::string name = "push " + std::to_string(i);
    const auto key = pushes({named(name)});
    CHECK((agent() == name) == (i < Identify::kPushBurst));
    CHECK((!key || was_reset(*key)) == (i >= Identify::kPushBurst));
  }
  run_for(Identify::kPushEvery);
  push({named("later")});
  CHECK(agent() == "later");
  pushes({named("too soon")});
  CHECK(agent() == "later");
}

TEST_CASE_FIXTURE(Callers, "H27: protocols without end, in one message or in many, are not kept") {
  run_for(1s);
  push({named("many", 300)});
  CHECK(agent() == "many");
  CHECK(node(answerer).info(id(asker))->protocols.size() == 300);
  push({named("a", 300), named("b", 300)});
  CHECK(agent() == "many");
  push(std::vector(kMostIdentifyMessages + 1, named("endless")));
  CHECK(agent() == "many");
  push(std::vector(kMostIdentifyMessages, named("last")));
  CHECK(agent() == "last");
}

TEST_CASE_FIXTURE(Callers, "H54: a request that claims more than any has ends its stream unread") {
  const StreamKey fits = speak(config().kad.protocol), huge = speak(config().kad.protocol);
  Bytes prefix;
  put_varint(prefix, kMostRequest);
  says(fits, prefix);
  prefix.clear();
  put_varint(prefix, kMostRequest + 1);
  says(huge, prefix);
  run_for(1s);
  CHECK_FALSE(was_reset(fits));
  CHECK(was_reset(huge));
}

}  // namespace kadmesh
