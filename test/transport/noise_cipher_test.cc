#include "transport/noise_cipher.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace kadmesh {
namespace {

constexpr AeadKey kKey{1, 2, 3};

NoiseSealer sealer(std::uint64_t counter = 0) { return NoiseSealer(NoiseKey(kKey, counter)); }
NoiseOpener opener(std::uint64_t counter = 0) { return NoiseOpener(NoiseKey(kKey, counter)); }

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

Bytes sealed(NoiseSealer& by, ByteView plain) {
  Bytes out;
  REQUIRE(by.seal(plain, out));
  return out;
}

// All messages that `in` completes, one after the other; `count` of them.
struct Opened {
  Bytes plain;
  int count = 0;
};
Opened open_all(NoiseOpener& by, ByteView in) {
  Opened opened;
  while (true) {
    const auto message = by.next(in);
    REQUIRE(message);
    if (!*message) break;
    append(opened.plain, **message);
    ++opened.count;
  }
  CHECK(in.empty());
  return opened;
}

// An empty message as some peers send it; our sealer does not.
Bytes empty_message(std::uint64_t counter) {
  Bytes out(2 + kAeadTagSize);
  out[1] = kAeadTagSize;
  aead_seal(kKey, counter, {}, {}, std::span(out).subspan(2));
  return out;
}

}  // namespace

TEST_CASE("noise cipher: what one seals the other opens, in order") {
  NoiseSealer ours = sealer();
  NoiseOpener theirs = opener();
  for (const std::size_t size : {1U, 100U, 1000U, 65519U}) {
    const Bytes plain = pattern(size), wire = sealed(ours, plain);
    CHECK(wire.size() == 2 + size + 16);
    CHECK(open_all(theirs, wire).plain == plain);
  }
}

TEST_CASE("noise cipher: more than a message holds is split at 65519") {
  NoiseSealer ours = sealer();
  const Bytes plain = pattern(2 * kMostNoisePlain + 1), wire = sealed(ours, plain);
  CHECK(wire.size() == plain.size() + 3 * 18);
  CHECK(to_hex(ByteView(wire).first(2)) == "ffff");
  NoiseOpener theirs = opener();
  const Opened opened = open_all(theirs, wire);
  CHECK(opened.count == 3);
  CHECK(opened.plain == plain);
}

TEST_CASE("noise cipher: nothing to say says nothing") {
  NoiseSealer ours = sealer();
  CHECK(sealed(ours, {}).empty());
  Bytes out = {7};
  const std::size_t start = ours.begin(out);
  REQUIRE(ours.end(out, start));
  CHECK(out == Bytes{7});
  CHECK(sealed(ours, pattern(5)) == [] {
    NoiseSealer fresh = sealer();
    return sealed(fresh, pattern(5));
  }());
}

TEST_CASE("noise cipher: sealing in place gives the same bytes") {
  NoiseSealer copying = sealer(), in_place = sealer();
  Bytes out = {1, 2, 3};
  for (const std::size_t size : {10U, 300U, 65519U}) {
    const Bytes plain = pattern(size);
    Bytes expected = out;
    append(expected, sealed(copying, plain));
    const std::size_t start = in_place.begin(out);
    append(out, plain);
    REQUIRE(in_place.end(out, start));
    CHECK(out == expected);
  }
}

TEST_CASE("noise cipher: every way to cut the bytes comes to the same") {
  NoiseSealer ours = sealer();
  Bytes plain, wire;
  for (const std::size_t size : {3U, 40U, 1U, 500U}) {
    append(plain, pattern(size));
    append(wire, sealed(ours, pattern(size)));
  }
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    NoiseOpener theirs = opener();
    Bytes got;
    for (std::size_t at = 0; at < wire.size(); at += step)
      append(got,
             open_all(theirs, ByteView(wire).subspan(at, std::min(step, wire.size() - at))).plain);
    CHECK(got == plain);
    CHECK(theirs.buffered() == 0);
  }
}

TEST_CASE("noise cipher: an empty message is passed over and counted") {
  NoiseOpener theirs = opener();
  Bytes wire = empty_message(0);
  append(wire, empty_message(1));
  NoiseSealer rest = sealer(2);
  append(wire, sealed(rest, pattern(4)));
  const Opened opened = open_all(theirs, wire);
  CHECK(opened.count == 1);
  CHECK(opened.plain == pattern(4));
}

TEST_CASE("noise cipher: an idle opener holds no memory") {
  NoiseSealer ours = sealer();
  NoiseOpener theirs = opener();
  const Bytes wire = sealed(ours, pattern(65519));
  ByteView in(wire);
  REQUIRE(*theirs.next(in));
  CHECK(theirs.buffered() >= 65519);  // the message that is looked at
  REQUIRE(theirs.next(in));
  CHECK(theirs.buffered() == 0);
}

TEST_CASE("H20: a message that does not decrypt ends the session for good") {
  for (const std::size_t at : {2U, 20U, 41U}) {  // body, body, tag
    NoiseSealer ours = sealer();
    NoiseOpener theirs = opener();
    Bytes wire = sealed(ours, pattern(24));
    wire.at(at) ^= 1;
    open_all(theirs, ByteView(wire).first(1));
    ByteView in = ByteView(wire).subspan(1);
    CHECK(theirs.next(in) == fail(Errc::auth));
    const Bytes good = sealed(ours, pattern(24));
    in = good;
    CHECK(theirs.next(in) == fail(Errc::closed));
    CHECK(theirs.buffered() == 0);
  }
}

TEST_CASE("H20: replayed, skipped and reordered messages do not decrypt") {
  NoiseSealer ours = sealer();
  const Bytes first = sealed(ours, pattern(9)), second = sealed(ours, pattern(9));
  NoiseOpener skipping = opener();
  ByteView in(second);
  CHECK(skipping.next(in) == fail(Errc::auth));
  NoiseOpener replaying = opener();
  open_all(replaying, first);
  in = first;
  CHECK(replaying.next(in) == fail(Errc::auth));
}

TEST_CASE("H20: the last counter is never used") {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  NoiseSealer ours = sealer(kLast - 1);
  NoiseOpener theirs = opener(kLast - 1);
  open_all(theirs, sealed(ours, pattern(1)));
  Bytes out;
  CHECK(ours.seal(pattern(1), out) == fail(Errc::limit));
  CHECK(ours.seal(pattern(1), out) == fail(Errc::limit));
  CHECK(out.empty());  // nothing in the clear
  Bytes forged(2 + kAeadTagSize + 1);
  forged[1] = kAeadTagSize + 1;
  aead_seal(kKey, kLast, {}, pattern(1), std::span(forged).subspan(2));
  ByteView in(forged);
  CHECK(theirs.next(in) == fail(Errc::limit));
}

TEST_CASE("noise cipher: a body shorter than its tag is malformed") {
  for (std::uint8_t size = 0; size < kAeadTagSize; ++size) {
    NoiseOpener theirs = opener();
    Bytes wire(2U + size);
    wire[1] = size;
    ByteView in(wire);
    CHECK(theirs.next(in) == fail(Errc::malformed));
  }
}

}  // namespace kadmesh
