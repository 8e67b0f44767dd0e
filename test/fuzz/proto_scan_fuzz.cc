// Covers: src/base/proto_scan.cc
#include <array>

#include "base/check.h"
#include "base/proto_scan.h"
#include "peer_record.pb.h"

using namespace kadmesh;

namespace {

constexpr std::size_t kMostAddrs = 4;
constexpr std::size_t kMostElements = 20;

constexpr std::array<FieldShape, 1> kInfoFields{{{1, 2}}};
constexpr MessageShape kInfo{kInfoFields};
constexpr std::array<FieldShape, 1> kRecordFields{{{3, kMostAddrs, &kInfo}}};
constexpr MessageShape kRecord{kRecordFields};

}  // namespace

// The scan stands before a generated decoder: what passes it the decoder must not find larger.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto scanned = scan_message(input, kRecord, {size, kMostElements, 2});
  pb::PeerRecord message;
  const bool decoded = message.ParseFromArray(data, static_cast<int>(size));
  if (scanned && decoded) {
    KAD_CHECK(static_cast<std::size_t>(message.addresses_size()) <= kMostAddrs);
    // What it writes again passes too: a decoder only leaves out and shortens.
    const std::string again = message.SerializeAsString();
    KAD_CHECK(scan_message(as_bytes(again), kRecord, {again.size(), kMostElements, 2}));
  }
  // No bound that is passed by less is passed by more.
  if (scanned) KAD_CHECK(scan_message(input, kRecord, {size + 1, kMostElements + 1, 3}));
  if (size > 0) {
    const auto shorter = scan_message(input, kRecord, {size - 1, kMostElements, 2});
    KAD_CHECK(!shorter && shorter.error().code == Errc::limit);
  }
  return 0;
}
