// Covers: src/base/peer_id.cc src/base/multibase.cc
#include "base/check.h"
#include "base/multibase.h"
#include "base/peer_id.h"

using namespace kadmesh;

namespace {

void check_id(const PeerId& id) {
  KAD_CHECK(PeerId::from_bytes(id.bytes()) == id);
  for (const std::string& text : {id.text(), id.base32_cid(), id.base36_cid()}) {
    KAD_CHECK(PeerId::from_text(text) == id);
  }
  KAD_CHECK(id.text().ends_with(id.short_text()));
  if (!id.inlined_key().empty()) KAD_CHECK(PeerId::of_key(id.inlined_key()) == id);
}

void check_base(Base base, ByteView input) {
  if (const auto bytes = from_base(base, as_text(input))) {
    KAD_CHECK(from_base(base, to_base(base, *bytes)) == *bytes);
  }
  const std::string text = to_base(base, input);
  const auto again = from_base(base, text);
  KAD_CHECK(again ? equal(*again, input) : text.size() > kMostNumberText);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size < 512 ? size : 512);
  if (const auto id = PeerId::from_bytes(input)) {
    KAD_CHECK(equal(id->bytes(), input));
    check_id(*id);
  }
  if (const auto id = PeerId::from_text(as_text(input))) check_id(*id);
  check_id(PeerId::of_key(size > 0 ? input : ByteView(Bytes{1})));
  for (const Base base :
       {Base::base16, Base::base32, Base::base36, Base::base58, Base::base64url}) {
    check_base(base, input);
  }
  return 0;
}
