#include "transport/multistream.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <vector>

namespace kadmesh {
namespace {

const std::string kHeader = "\x13/multistream/1.0.0\n";
const std::string kNa = "\x03na\n";
const std::string kLs = "\x03ls\n";

std::string token(std::string_view text) {
  return std::string(as_text(frame(as_bytes(std::string(text) + '\n'))));
}

std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }

// A dialer or listener, and what it has done with the bytes that it was given.
template <class Side>
struct End {
  Side side;
  std::vector<std::string> served;

  Result<std::size_t> hear(std::string_view in) {
    if constexpr (requires { side.on_bytes(ByteView{}, served); })
      return side.on_bytes(as_bytes(in), served);
    else
      return side.on_bytes(as_bytes(in));
  }
  std::string said() { return text(side.take_output()); }
  std::string agreed() const { return side.agreed() ? *side.agreed() : "(undecided)"; }
};

End<MultistreamDialer> dialer(std::vector<std::string> proposals) {
  return {MultistreamDialer(std::move(proposals)), {}};
}
End<MultistreamListener> listener(std::vector<std::string> served) { return {{}, served}; }

template <class E>
Errc error_of(E& end, std::string_view in) {
  const auto result = end.hear(in);
  REQUIRE(!result);
  return result.error().code;
}

}  // namespace

TEST_CASE("multistream: header and first proposal leave together, as published bytes") {
  auto us = dialer({"/noise"});
  CHECK(to_hex(us.side.take_output()) ==
        "132f6d756c746973747265616d2f312e302e300a072f6e6f6973650a");
  CHECK(us.said().empty());
  CHECK(us.agreed() == "(undecided)");
}

TEST_CASE("multistream: an echo is an agreement") {
  auto us = dialer({"/noise"});
  CHECK(us.hear(kHeader + token("/noise")) == 28);
  CHECK(us.agreed() == "/noise");
}

TEST_CASE("multistream: after na the next proposal goes out, without a header") {
  auto us = dialer({"/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0"});
  us.said();
  REQUIRE(us.hear(kHeader + kNa));
  CHECK(us.said() == token("/meshsub/1.2.0"));
  REQUIRE(us.hear(kNa));
  CHECK(us.said() == token("/meshsub/1.1.0"));
  REQUIRE(us.hear(token("/meshsub/1.1.0")));
  CHECK(us.agreed() == "/meshsub/1.1.0");
}

TEST_CASE("multistream: a dialer whose proposals ran out says which") {
  auto us = dialer({"/a", "/b"});
  const auto result = us.hear(kHeader + kNa + kNa);
  REQUIRE(!result);
  CHECK(result.error().code == Errc::unsupported);
  CHECK(result.error().detail.find("/a, /b") != std::string::npos);
}

TEST_CASE("multistream: the echo is compared with the proposal that is awaited") {
  auto us = dialer({"/a", "/b"});
  CHECK(error_of(us, kHeader + token("/b")) == Errc::protocol);
  CHECK(us.agreed() == "(undecided)");
}

TEST_CASE("multistream: a listener is silent until it hears a header") {
  auto us = listener({"/noise"});
  CHECK(us.said().empty());
  REQUIRE(us.hear(kHeader.substr(0, 10)));
  CHECK(us.said().empty());
  REQUIRE(us.hear(kHeader.substr(10)));
  CHECK(us.said() == kHeader);
}

TEST_CASE("multistream: a listener echoes what it serves and refuses the rest") {
  auto us = listener({"/yamux/1.0.0"});
  REQUIRE(us.hear(kHeader + token("/mplex/6.7.0") + token("/libp2p/simultaneous-connect")));
  CHECK(us.said() == kHeader + kNa + kNa);
  REQUIRE(us.hear(token("/yamux/1.0.0")));
  CHECK(us.said() == token("/yamux/1.0.0"));
  CHECK(us.agreed() == "/yamux/1.0.0");
}

TEST_CASE("multistream: only a whole name matches") {
  auto us = listener({"/kad/1.0.0"});
  REQUIRE(us.hear(kHeader + token("/kad/1.0") + token("/kad/1.0.0/x") + token("/KAD/1.0.0")));
  CHECK(us.said() == kHeader + kNa + kNa + kNa);
}

TEST_CASE("multistream: bytes after the agreement belong to the next layer, in both roles") {
  auto theirs = listener({"/ping"});
  const std::string lazy = kHeader + token("/ping");
  CHECK(theirs.hear(lazy + "request") == lazy.size());
  CHECK(theirs.hear("more") == 0);
  auto ours = dialer({"/ping"});
  const std::string answer = theirs.said();
  CHECK(ours.hear(answer + "reply") == answer.size());
  CHECK(ours.hear("more") == 0);
}

TEST_CASE("multistream: one byte at a time comes to the same") {
  auto ours = dialer({"/a", "/b"});
  auto theirs = listener({"/b"});
  for (int round = 0; round < 2; ++round) {
    for (const char byte : ours.said()) CHECK(theirs.hear({&byte, 1}) == 1);
    for (const char byte : theirs.said()) CHECK(ours.hear({&byte, 1}) == 1);
  }
  CHECK(ours.agreed() == "/b");
  CHECK(theirs.agreed() == "/b");
}

TEST_CASE("multistream: a lazy dialer learns of a refusal late") {
  auto ours = dialer({"/old"});
  auto theirs = listener({"/new"});
  const std::string lazy = ours.said();
  REQUIRE(theirs.hear(lazy));
  CHECK(error_of(ours, theirs.said()) == Errc::unsupported);
}

TEST_CASE("multistream: ls is answered once, as frames inside a frame") {
  auto us = listener({"/a", "/bc"});
  REQUIRE(us.hear(kHeader + kLs));
  CHECK(us.said() == kHeader + "\x0a" + token("/a") + token("/bc") + "\n");
  REQUIRE(us.hear(kLs + token("/a")));
  CHECK(us.said() == kNa + token("/a"));
}

TEST_CASE("multistream: an ls reply keeps to the size that peers read") {
  std::vector<std::string> names(40, '/' + std::string(1000, 'x'));
  auto us = listener(names);
  REQUIRE(us.hear(kHeader + kLs));
  const std::string said = us.said();
  const std::size_t size = said.size() - kHeader.size() - 2;  // two varint bytes of length
  CHECK(size <= kMostListReply);
  CHECK(size > kMostListReply - 1100);
}

TEST_CASE("H23: a token beyond the cap is refused by its length alone") {
  CHECK(kMostToken == 1024);
  const std::string claim = {'\x81', '\x08'};  // 1025
  auto theirs = listener({"/a"});
  REQUIRE(theirs.hear(kHeader));
  CHECK(error_of(theirs, claim) == Errc::limit);
  auto ours = dialer({"/a"});
  CHECK(error_of(ours, claim) == Errc::limit);
}

TEST_CASE("H23: the longest token is negotiated") {
  const std::string name = '/' + std::string(kMostToken - 2, 'x');
  REQUIRE(is_protocol_name(name));
  auto ours = dialer({name});
  auto theirs = listener({name});
  REQUIRE(theirs.hear(ours.said()));
  REQUIRE(ours.hear(theirs.said()));
  CHECK(ours.agreed() == name);
}

TEST_CASE("H23: proposals are bounded in number") {
  auto us = listener({"/a"});
  REQUIRE(us.hear(kHeader));
  for (unsigned i = 0; i < kMostTries; ++i) REQUIRE(us.hear(token("/b")));
  CHECK(error_of(us, token("/a")) == Errc::limit);
}

TEST_CASE("H24: a header comes exactly once") {
  auto theirs = listener({"/a"});
  CHECK(error_of(theirs, kHeader + kHeader) == Errc::protocol);
  auto ours = dialer({"/a"});
  CHECK(error_of(ours, kHeader + kHeader) == Errc::protocol);
  auto headless = listener({"/a"});
  CHECK(error_of(headless, token("/a")) == Errc::protocol);
}

TEST_CASE("multistream: bytes that are no token end the negotiation for good") {
  for (const std::string_view bad : {"\x02/a", "\x80\x80\x80", "GET / HTTP/1.1\r\n\r\n"}) {
    auto us = listener({"/a"});
    REQUIRE(us.hear(kHeader));
    const auto result = us.hear(std::string(bad) + std::string(100, '\xff'));
    CHECK(!result);
    CHECK(error_of(us, token("/a")) == Errc::closed);
    CHECK(us.agreed() == "(undecided)");
  }
  auto empty = listener({"/a"});
  CHECK(error_of(empty, std::string(1, '\0')) == Errc::malformed);
}

TEST_CASE("multistream: what may be a name") {
  CHECK(is_protocol_name("/a"));
  CHECK_FALSE(is_protocol_name(""));
  CHECK_FALSE(is_protocol_name("a"));
  CHECK_FALSE(is_protocol_name("/a\nb"));
  CHECK_FALSE(is_protocol_name('/' + std::string(kMostToken - 1, 'x')));
}

}  // namespace kadmesh
