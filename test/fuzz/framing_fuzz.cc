// Covers: src/base/framing.cc src/base/varint.cc
#include "base/check.h"
#include "base/framing.h"
#include "base/varint.h"

using namespace kadmesh;

namespace {

constexpr std::size_t kMost = 300;

struct Outcome {
  std::vector<Bytes> messages;
  bool failed = false;
  bool at_boundary = true;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Result<std::optional<Bytes>> viewed(FrameReader& reader, ByteView& in) {
  ASSIGN_OR_RETURN(const auto message, reader.next_view(in));
  return message ? std::optional(to_bytes(*message)) : std::nullopt;
}

// Reads `stream` in pieces, each copied so that a read beyond its end is seen.
Outcome read(ByteView stream, std::size_t piece) {
  FrameReader reader(kMost);
  Outcome outcome;
  while (!stream.empty()) {
    const Bytes copy = to_bytes(stream.first(std::min(piece, stream.size())));
    stream = stream.subspan(copy.size());
    ByteView in = copy;
    for (;;) {
      auto message = outcome.messages.size() % 2 == 0 ? reader.next(in) : viewed(reader, in);
      KAD_CHECK(reader.buffered() <= kMost + kMostVarintSize);
      if (!message) return {outcome.messages, true, false};
      if (!*message) break;
      outcome.messages.push_back(**std::move(message));
    }
    KAD_CHECK(in.empty());
  }
  outcome.at_boundary = reader.at_boundary();
  return outcome;
}

void check_varint(ByteView input) {
  const auto number = get_varint(input);
  if (!number || !*number) return;
  Bytes again;
  put_varint(again, (*number)->value);
  KAD_CHECK(again.size() == (*number)->size && again.size() == varint_size((*number)->value));
  KAD_CHECK(equal(again, input.first(again.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_varint(input);
  const Outcome whole = read(input, size + 1);
  KAD_CHECK(read(input, 1) == whole);
  KAD_CHECK(read(input, 7) == whole);
  Bytes again;
  for (const Bytes& message : whole.messages) append(again, frame(message));
  KAD_CHECK(again.size() <= size && equal(again, input.first(again.size())));
  if (!whole.failed && whole.at_boundary) KAD_CHECK(again.size() == size);
  return 0;
}
