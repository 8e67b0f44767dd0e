// Streams of users' own protocols, in virtual time.
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

  const Index asker = citizen(), answerer = citizen();
};

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

}  // namespace kadmesh
