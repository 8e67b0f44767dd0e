#include "transport/noise_frame.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace kadmesh {
namespace {

Bytes body_of(std::size_t size) {
  Bytes body(size);
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return body;
}

Bytes frame_of(std::size_t size) {
  Bytes frame(kNoisePrefixSize);
  put_noise_prefix(frame, size);
  append(frame, body_of(size));
  return frame;
}

// The bodies of all frames that `in` completes.
std::vector<Bytes> read_all(NoiseFrameReader& reader, ByteView in) {
  std::vector<Bytes> bodies;
  while (const auto frame = reader.next(in)) bodies.push_back(to_bytes(frame->body));
  CHECK(in.empty());
  return bodies;
}

}  // namespace

TEST_CASE("noise frame: a length is two bytes, the higher first") {
  CHECK(to_hex(ByteView(frame_of(5)).first(2)) == "0005");
  CHECK(to_hex(ByteView(frame_of(kMostNoiseBody)).first(2)) == "ffff");
  CHECK(to_hex(ByteView(frame_of(0x1234)).first(2)) == "1234");
}

TEST_CASE("noise frame: every way to cut the bytes comes to the same") {
  Bytes wire;
  std::vector<Bytes> bodies;
  for (const std::size_t size : {3U, 0U, 40U, 1U, 500U}) {
    append(wire, frame_of(size));
    bodies.push_back(body_of(size));
  }
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    NoiseFrameReader reader;
    std::vector<Bytes> got;
    for (ByteView rest(wire); !rest.empty(); rest = rest.subspan(std::min(step, rest.size())))
      for (Bytes& body : read_all(reader, rest.first(std::min(step, rest.size()))))
        got.push_back(std::move(body));
    CHECK(got == bodies);
    CHECK(reader.buffered() == 0);
  }
}

TEST_CASE("noise frame: one that is whole is given out where it lies") {
  const Bytes wire = frame_of(500);
  NoiseFrameReader reader;
  ByteView in(wire);
  const auto frame = reader.next(in);
  REQUIRE(frame);
  CHECK(frame->body.data() == wire.data() + kNoisePrefixSize);
  CHECK(frame->own.empty());
  CHECK(in.empty());
  CHECK(reader.buffered() == 0);
}

TEST_CASE("noise frame: one that was cut off is its reader's to change") {
  const Bytes wire = frame_of(500);
  NoiseFrameReader reader;
  read_all(reader, ByteView(wire).first(7));
  ByteView in = ByteView(wire).subspan(7);
  const auto frame = reader.next(in);
  REQUIRE(frame);
  CHECK(equal(frame->body, body_of(500)));
  CHECK(frame->own.data() == frame->body.data());
  CHECK(frame->own.size() == frame->body.size());
}

TEST_CASE("noise frame: a length alone costs no memory, an idle reader none at all") {
  NoiseFrameReader reader;
  read_all(reader, Bytes{0xff, 0xff, 1});
  CHECK(reader.buffered() > 0);
  CHECK(reader.buffered() <= 16);
  read_all(reader, body_of(kMostNoiseBody - 1));
  CHECK(reader.buffered() == 0);
}

TEST_CASE("noise frame: one under collection never holds more than its size") {
  NoiseFrameReader reader;
  const Bytes wire = frame_of(50000);
  for (std::size_t at = 0; at + 100 < wire.size(); at += 100) {
    read_all(reader, ByteView(wire).subspan(at, 100));
    CHECK(reader.buffered() <= std::min(wire.size(), 2 * (at + 100)));
  }
}

TEST_CASE("noise frame: the next size is known with its prefix, and nothing is taken for it") {
  const Bytes first = frame_of(300), second = frame_of(0x201);
  NoiseFrameReader reader;
  CHECK_FALSE(reader.next_size({}));
  CHECK_FALSE(reader.next_size(ByteView(first).first(1)));
  CHECK(reader.next_size(first) == 300);
  CHECK(reader.buffered() == 0);
  for (const std::size_t cut : {1U, 2U, 77U}) {
    read_all(reader, ByteView(first).first(cut));
    CHECK(reader.next_size(ByteView(first).subspan(cut)) == 300);
    ByteView rest = ByteView(first).subspan(cut);
    REQUIRE(reader.next(rest));
    CHECK(reader.next_size(second) == 0x201);  // although the first is still on loan
  }
}

}  // namespace kadmesh
