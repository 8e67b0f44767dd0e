#include "transport/noise_keylog.h"

#include <algorithm>
#include <array>

namespace kadmesh {
namespace {

constexpr std::string_view kLabel = "NOISE_XX";
constexpr std::size_t kDigits = 64;  // of a field

// In the order of the line; for a const and a mutable NoiseSecrets alike.
template <class Secrets>
auto fields(Secrets& s) {
  return std::array{&s.initiator_ephemeral,
                    &s.responder_ephemeral,
                    &s.ee,
                    &s.es,
                    &s.se,
                    &s.initiator,
                    &s.responder};
}

Result<void> read_field(std::string_view& line, AeadKey& field) {
  if (!line.starts_with(' ')) return fail(Errc::malformed, "key log: a space is missing");
  ASSIGN_OR_RETURN(const Bytes bytes, from_hex(line.substr(1, kDigits)));
  if (bytes.size() != field.size()) return fail(Errc::malformed, "key log: a short field");
  std::ranges::copy(bytes, field.begin());
  line.remove_prefix(1 + kDigits);
  return {};
}

}  // namespace

std::string keylog_line(const NoiseSecrets& secrets) {
  std::string line(kLabel);
  for (const AeadKey* field : fields(secrets)) line += ' ' + to_hex(*field);
  return line;
}

Result<NoiseSecrets> parse_keylog_line(std::string_view line) {
  if (!line.starts_with(kLabel)) return fail(Errc::malformed, "key log: no NOISE_XX line");
  std::string_view rest = line.substr(kLabel.size());
  NoiseSecrets secrets;
  for (AeadKey* field : fields(secrets)) RETURN_IF_ERROR(read_field(rest, *field));
  // from_hex() also reads capitals.
  if (keylog_line(secrets) != line) return fail(Errc::malformed, "key log: not as it is written");
  return secrets;
}

}  // namespace kadmesh
