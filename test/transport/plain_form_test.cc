#include "transport/plain_form.h"

#include <doctest/doctest.h>

#include "connection_pair.h"

using namespace kadmesh;

namespace {

// A connection over Noise that shows what goes through it, one that it talks to, and the first once
// more over what is shown.
struct Shown {
  explicit Shown(Role role, bool early = true)
      : us(options(1, role, early)), them(options(2, other(role), early)), again([&] {
          auto replay = options(1, role, early);
          replay.security = Security::replay;
          replay.plain_forms = false;
          return replay;
        }()) {}

  static Role other(Role role) {
    return role == Role::initiator ? Role::responder : Role::initiator;
  }
  static ConnectionEnd::Options options(std::uint64_t seed, Role role, bool early) {
    auto made = ConnectionPair::options(seed, role);
    made.early_muxer = early;
    made.plain_forms = true;
    return made;
  }

  // Each end speaks once; false when nobody had anything to say.
  bool step(std::size_t piece) {
    const Bytes ours = us.speak(), theirs = them.speak();
    const Bytes form = us->take_sent_form();
    CHECK(form.size() == ours.size());
    CHECK(again.speak() == form);
    if (!ours.empty()) them.hear(ours);
    for (ByteView rest = theirs; !rest.empty();) {
      const ByteView next = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(next.size());
      us.hear(next);
      again.hear(us->take_opened_form());
      CHECK(again.phase() == us.phase());
    }
    return !ours.empty() || !theirs.empty();
  }
  void exchange(std::size_t piece = 100'000) {
    while (step(piece)) {
    }
  }

  ConnectionEnd us, them, again;
};

}  // namespace

TEST_CASE("plain form: a connection over it does what the one over Noise did") {
  for (const Role role : {Role::initiator, Role::responder})
    for (const bool early : {true, false})
      for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{100'000}}) {
        CAPTURE(early);
        CAPTURE(piece);
        Shown shown(role, early);
        shown.exchange(piece);
        REQUIRE(shown.us.phase() == Connection::Phase::up);
        CHECK(*shown.again->peer() == *shown.us->peer());
        const std::vector<std::string> echo{"/echo/1"};
        for (ConnectionEnd* end : {&shown.us, &shown.again})
          CHECK(end->streams().open(echo, end->now + 10s));
        CHECK(shown.them.streams().open(echo, shown.them.now + 10s));
        shown.exchange(piece);
        shown.us->close({Errc::closed, "enough"});
        shown.again->close({Errc::closed, "enough"});
        shown.exchange(piece);
      }
}

TEST_CASE("plain form: why Noise ended a session is told in its words") {
  Shown shown(Role::initiator);
  shown.exchange();
  const std::vector<std::string> echo{"/echo/1"};
  REQUIRE(shown.them.streams().open(echo, shown.them.now + 10s));
  Bytes bytes = shown.them.speak();
  bytes.back() ^= 1;
  shown.us.hear(bytes);
  shown.again.hear(shown.us->take_opened_form());
  CHECK(shown.us->cause().code == Errc::auth);
  CHECK(to_string(shown.again->cause()) == to_string(shown.us->cause()));
}

TEST_CASE("plain form: a fault is found at the front alone") {
  Bytes out;
  put_plain_fault(out, {Errc::limit, "too much"});
  REQUIRE(plain_fault(out));
  CHECK(to_string(*plain_fault(out)) == "limit: too much");
  Bytes message;
  put_plain_message(message, as_bytes("words"));
  CHECK_FALSE(plain_fault(message));
  CHECK_FALSE(plain_fault(ByteView(out).first(2)));
}
