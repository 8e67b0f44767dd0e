#include "store/record.h"

#include "base/crypto.h"

namespace kadmesh {

std::uint64_t place_of(ByteView key) {
  const Sha256 hash = sha256(key);
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < sizeof place; ++i) place = place << 8 | hash[i];
  return place;
}

}  // namespace kadmesh
