// Either role against arbitrary bytes: however they are cut, the outcome is that of one piece.
// Covers: src/transport/multistream.cc
#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "transport/multistream.h"

using namespace kadmesh;

namespace {

const std::vector<std::string> kNames{"/a", "/noise", "/yamux/1.0.0"};

// Header, kMostTries refusals, one list, one echo.
constexpr std::size_t kMostOutput = 20 + 4 * kMostTries + 64 + 20;

struct Outcome {
  std::optional<Errc> error;
  std::size_t taken = 0;  // without an error
  std::string agreed;
  Bytes output;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Result<std::size_t> hear(MultistreamDialer& side, ByteView in) { return side.on_bytes(in); }
Result<std::size_t> hear(MultistreamListener& side, ByteView in) {
  return side.on_bytes(in, kNames);
}

template <class Side>
Outcome negotiate(Side side, ByteView wire, std::size_t step) {
  Outcome outcome;
  for (std::size_t at = 0; at < wire.size() && !outcome.error; at += step) {
    const ByteView piece = wire.subspan(at, std::min(step, wire.size() - at));
    const auto taken = hear(side, piece);
    append(outcome.output, side.take_output());
    if (!taken) {
      outcome.error = taken.error().code;
      outcome.taken = 0;
    } else {
      KAD_CHECK(*taken == piece.size() || side.agreed());
      outcome.taken += *taken;
    }
  }
  if (side.agreed()) outcome.agreed = *side.agreed();
  return outcome;
}

template <class Side>
void run(const Side& side, ByteView wire, std::size_t step) {
  const Outcome whole = negotiate(side, wire, std::max<std::size_t>(wire.size(), 1));
  KAD_CHECK(whole == negotiate(side, wire, step));
  KAD_CHECK(whole.output.size() <= kMostOutput);
  KAD_CHECK(whole.agreed.empty() || std::ranges::count(kNames, whole.agreed) == 1);
  KAD_CHECK(whole.agreed.empty() || !whole.error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView wire(data + 2, size - 2);
  const std::size_t step = 1 + data[1] % 16U;
  const std::size_t proposals = data[0] % (kNames.size() + 1);
  if (proposals == 0)
    run(MultistreamListener(), wire, step);
  else
    run(MultistreamDialer({kNames.begin(), kNames.begin() + std::ptrdiff_t(proposals)}), wire,
        step);
  return 0;
}
