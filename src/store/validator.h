// What a value must be to be kept under its key, and which of two values is better. Keys are
// "/namespace/rest"; a key whose namespace has no validator is refused everywhere.
// (libp2p specs, kad-dht/README.md, "Entry validation")
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace kadmesh {

class Validator {
 public:
  virtual ~Validator() = default;
  // Pure: the same answer for the same arguments. By custom Errc::auth for what is not signed as it
  // must be, Errc::timeout for what has expired, Errc::invalid for anything else.
  virtual Result<void> validate(ByteView key, ByteView value, WallTime now) const = 0;
  // The index of the best of several valid values; at least one is given.
  virtual std::size_t select(ByteView key, std::span<const Bytes> values) const = 0;
  // Whether two valid values say the same, be it written in another way. Neither then takes the
  // other's place, whichever select() prefers, but for the shorter one.
  virtual bool same(ByteView key, ByteView one, ByteView other) const;
};

// "/pk/<multihash>": a key that hashes to the multihash. Errc::invalid for the key, else what
// PeerId says of the multihash and brought_key (store/brought_key.h) of the bytes.
class PublicKeyValidator final : public Validator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) const override;
  std::size_t select(ByteView key, std::span<const Bytes> values) const override;
  bool same(ByteView, ByteView, ByteView) const override { return true; }
};

// Any value; the greatest by bytes wins, so that all nodes agree.
class PassThroughValidator final : public Validator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) const override;
  std::size_t select(ByteView key, std::span<const Bytes> values) const override;
};

class Validators {
 public:
  // "pk" and "ipns": under protocol ids of /ipfs go demands these two and no other.
  static Validators standard();
  // Replaces the one that was there. `space` without slashes.
  void set(std::string space, std::shared_ptr<const Validator> validator);

  // What accepts() says of the key, and then its validator.
  Result<void> validate(ByteView key, ByteView value, WallTime now) const;
  // `key` is accepted here and at least one value is given.
  std::size_t select(ByteView key, std::span<const Bytes> values) const;
  bool same(ByteView key, ByteView one, ByteView other) const;
  // Errc::invalid for a key that is no "/namespace/rest" or whose namespace is not known here.
  Result<void> accepts(ByteView key) const;
  // By namespace.
  const std::map<std::string, std::shared_ptr<const Validator>, std::less<>>& all() const {
    return by_space_;
  }

 private:
  const Validator* find(ByteView key) const;

  std::map<std::string, std::shared_ptr<const Validator>, std::less<>> by_space_;
};

}  // namespace kadmesh
