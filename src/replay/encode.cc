#include "replay/encode.h"

namespace kadmesh::replay {

void encode_number(Bytes& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<std::uint8_t>(number | 0x80));
  out.push_back(static_cast<std::uint8_t>(number));
}

void encode_signed(Bytes& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  encode_number(out, bits << 1 ^ (number < 0 ? ~std::uint64_t{0} : 0));
}

void encode(Bytes& out, const Validators& validators) {
  encode_number(out, validators.all().size());
  for (const auto& [space, validator] : validators.all()) {
    encode(out, space);
    encode_number(out, code_of(*validator));
  }
}

}  // namespace kadmesh::replay
