#include "base/framing.h"

#include <doctest/doctest.h>

#include <vector>

#include "base/varint.h"
#include "refusal.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

// Reads everything out of `stream`, handed over in pieces of `piece` bytes.
std::vector<Bytes> read_all(FrameReader& reader, ByteView stream, std::size_t piece) {
  std::vector<Bytes> messages;
  while (!stream.empty()) {
    ByteView in = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(in.size());
    while (auto message = reader.next(in).value()) messages.push_back(*std::move(message));
    CHECK(in.empty());
  }
  return messages;
}

Errc refusal(std::size_t most, ByteView stream) {
  FrameReader reader(most);
  return refusal_of(reader.next(stream));
}

}  // namespace

TEST_CASE("framing: messages come out as they went in, however the stream is cut") {
  const std::vector<Bytes> messages{Bytes(300, 7), {}, Bytes{1}, Bytes(127, 2), Bytes(128, 3)};
  Bytes stream;
  for (const Bytes& message : messages) put_frame(stream, message);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader(300);
    CHECK(read_all(reader, stream, piece) == messages);
    CHECK(reader.at_boundary());
  }
}

TEST_CASE("framing: a frame is its length and its bytes") {
  CHECK(to_hex(frame(hex("6869"))) == "026869");
  CHECK(to_hex(frame({})) == "00");
}

TEST_CASE("framing: bytes of the next message stay with the caller") {
  FrameReader reader(10);
  const Bytes stream = hex("0161026869");
  ByteView in = stream;
  CHECK(to_hex(reader.next(in).value().value()) == "61");
  CHECK(in.size() == 3);
  CHECK(reader.buffered() == 0);
}

TEST_CASE("framing: a message that lies whole in the input is seen there, not copied") {
  FrameReader reader(10);
  const Bytes stream = hex("0161026869");
  ByteView in = stream;
  CHECK(reader.next_view(in).value()->data() == stream.data() + 1);
  CHECK(reader.buffered() == 0);
  CHECK(reader.at_boundary());
  // Cut off, it is collected; the view holds until the next call, which lets go of it.
  in = ByteView(stream).subspan(2, 2);
  CHECK(!reader.next_view(in).value());
  CHECK(!reader.at_boundary());
  in = ByteView(stream).subspan(4);
  CHECK(to_hex(reader.next_view(in).value().value()) == "6869");
  CHECK(!reader.next_view(in).value());
  CHECK(reader.buffered() == 0);
}

TEST_CASE("framing: a stream that ends inside a message is not at a boundary") {
  for (const char* cut : {"80", "05", "0568"}) {
    FrameReader reader(1000);
    const Bytes stream = hex(cut);
    ByteView in = stream;
    CHECK(!reader.next(in).value());
    CHECK(in.empty());
    CHECK(!reader.at_boundary());
  }
}

TEST_CASE("framing: the largest message allowed passes, one byte more does not") {
  CHECK(refusal(4, frame(Bytes(5, 0))) == Errc::limit);
  FrameReader reader(5);
  const Bytes stream = frame(Bytes(5, 0));
  ByteView in = stream;
  CHECK(reader.next(in).value()->size() == 5);
}

TEST_CASE("H26: a length near the end of its type is refused, not added to") {
  CHECK(refusal(4096, hex("ffffffffffffffff7f")) == Errc::limit);
  CHECK(refusal(4096, hex("ffffffffffffffffff01")) == Errc::malformed);
  CHECK(refusal(4096, hex("8000")) == Errc::malformed);
  // A prefix that arrives byte by byte meets the same judge.
  FrameReader reader(4096);
  const Bytes byte{0xff};
  for (int i = 0; i < 8; ++i) {
    ByteView in = byte;
    CHECK(!reader.next(in).value());
  }
  ByteView last = byte;
  CHECK(refusal_of(reader.next(last)) == Errc::malformed);
}

TEST_CASE("H48: what is kept of a message grows with what came of it, whatever it announced") {
  constexpr std::size_t kAnnounced = std::size_t{1} << 39;  // no machine has it
  FrameReader reader(kAnnounced);
  Bytes prefix;
  put_varint(prefix, kAnnounced);
  ByteView in = prefix;
  CHECK(!reader.next(in).value());
  const Bytes byte{'x'};
  for (std::size_t came = 1; came <= 1000; ++came) {
    ByteView next = byte;
    CHECK(!reader.next(next).value());
    CHECK(reader.buffered() == came);
  }
}

TEST_CASE("H54: a huge prefix costs no memory: its length is judged before anything is allocated") {
  CHECK(refusal(64 * 1024, hex("ffffffff07")) == Errc::limit);
  FrameReader reader(std::size_t{1} << 40);
  const Bytes stream = hex("8080808080106869");  // 512 GiB announced, 2 bytes sent
  ByteView in = stream;
  CHECK(!reader.next(in).value());
  CHECK(reader.buffered() == 2);
}

}  // namespace kadmesh
