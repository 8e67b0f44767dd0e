// What secures a connection, whichever it is (security.h): a handshake, then a session whose two
// directions seal and open messages. The methods are those of noise.h and noise_cipher.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "transport/noise.h"
#include "transport/plain.h"
#include "transport/plain_form.h"
#include "transport/security.h"

namespace kadmesh {

inline constexpr std::string_view kNoiseProtocol = "/noise";
// As long, so that its negotiation is.
inline constexpr std::string_view kPlainProtocol = "/plain";
static_assert(kPlainProtocol.size() == kNoiseProtocol.size());

// What multistream calls it.
std::string_view protocol_name(Security security);

class Sealer {
 public:
  explicit Sealer(std::variant<NoiseSealer, PlainSealer> sealer) : sealer_(std::move(sealer)) {}

  Result<void> seal(ByteView plain, Bytes& out);
  std::size_t begin(Bytes& out) const;
  Result<void> end(Bytes& out, std::size_t start);

 private:
  std::variant<NoiseSealer, PlainSealer> sealer_;
};

// Reads what a recording shows.
class ReplayOpener {
 public:
  Result<std::optional<ByteView>> next(ByteView& in) {
    if (auto fault = plain_fault(in)) return std::unexpected(*std::move(fault));
    return opener_.next(in);
  }
  void release() { opener_.release(); }

 private:
  PlainOpener opener_;
};

class Opener {
 public:
  using Any = std::variant<NoiseOpener, PlainOpener, ReplayOpener>;
  explicit Opener(Any opener) : opener_(std::move(opener)) {}

  // The view is valid until the next call, and as long as `in`'s bytes.
  Result<std::optional<ByteView>> next(ByteView& in);
  // Gives back the buffers of what next() has given out; a message that is cut off stays.
  void release();

 private:
  Any opener_;
};

struct SecureSession {
  NoiseIdentity remote;
  Sealer send;
  Opener receive;
  std::optional<NoiseSecrets> secrets;  // for the key log alone; none where nothing is secret
};

class SecureHandshake {
 public:
  SecureHandshake(Security security, Role role, const NoiseStatic& ours, Rng& rng,
                  std::optional<PeerId> expected);

  Result<std::size_t> on_bytes(ByteView in);
  Bytes take_output();
  bool done() const;
  // The identity that the peer presented, as it came; empty where nothing was sealed.
  ByteView remote_payload() const;
  SecureSession take();

 private:
  Security security_;
  std::variant<NoiseHandshake, PlainHandshake> handshake_;
};

}  // namespace kadmesh
