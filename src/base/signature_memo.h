// Signed bytes that have been verified before, so that a simulation of many nodes verifies each
// message once and not once a node. For simulations alone: nodes that share one trust each other.
//
// Remembers digests of what was verified whole (message, signature and key), never a refusal.
// Belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/crypto.h"

namespace kadmesh {

class SignatureMemo {
 public:
  // Some minutes of a busy network; 64 MiB, most of which a small one never has.
  static constexpr std::size_t kMost = 1'000'000;

  // `kind` tells apart what is signed for different ends. `verify` says whether the signature in
  // `bytes` holds, and is asked only when that is not known; it must depend on nothing else.
  template <class Verify>
  Result<void> once(std::string_view kind, ByteView bytes, Verify verify) {
    const Sha256 digest = sha256(std::array{as_bytes(kind), bytes});
    if (known(digest)) return ++hits_, Result<void>();
    RETURN_IF_ERROR(verify());
    remember(digest);
    return {};
  }

  std::size_t size() const { return young_.size() + old_.size(); }
  std::uint64_t hits() const { return hits_; }

 private:
  // A simulation's own digests: nobody chooses them for their buckets.
  struct Prefix {
    std::size_t operator()(const Sha256& digest) const {
      std::size_t value;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  using Digests = std::unordered_set<Sha256, Prefix>;

  bool known(const Sha256& digest) const {
    return young_.contains(digest) || old_.contains(digest);
  }
  // The older half leaves at once.
  void remember(const Sha256& digest) {
    if (young_.size() == kMost / 2) old_ = std::exchange(young_, {});
    young_.insert(digest);
  }

  Digests young_, old_;
  std::uint64_t hits_ = 0;
};

// With a memo or without.
template <class Verify>
Result<void> verify_once(SignatureMemo* memo, std::string_view kind, ByteView bytes,
                         Verify verify) {
  return memo ? memo->once(kind, bytes, verify) : verify();
}

}  // namespace kadmesh
