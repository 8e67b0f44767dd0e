// Covers: src/base/envelope.cc
#include "base/check.h"
#include "base/envelope.h"

using namespace kadmesh;

namespace {

// Nothing opens but what its key has signed; what does, can be sealed again.
void check_record(ByteView envelope, const KeyPair& signer) {
  const auto record = open_peer_record(envelope);
  if (!record) return;
  KAD_CHECK(record->addrs.size() <= kMostRecordAddrs);
  if (record->peer != signer.peer_id()) return;
  for (const RecordFlavour flavour : {RecordFlavour::standard, RecordFlavour::legacy}) {
    const auto again = open_peer_record(seal_peer_record(signer, *record, flavour));
    KAD_CHECK(again && again->seq == record->seq && again->addrs == record->addrs);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const KeyPair signer = KeyPair::from_seed(Ed25519Seed{1});
  check_record(input, signer);
  // The payload behind a signature that holds, which no mutation would find.
  const Bytes type{3, 1};
  check_record(seal_envelope(signer, "libp2p-peer-record", type, input), signer);
  if (const auto opened = open_envelope(input, "domain")) {
    KAD_CHECK(opened->payload.size() < input.size());
  }
  return 0;
}
