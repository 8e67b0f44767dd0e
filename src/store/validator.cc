#include "store/validator.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "store/brought_key.h"
#include "store/ipns.h"

namespace kadmesh {
namespace {

constexpr ByteView::value_type kSlash = '/';

struct KeyParts {
  std::string_view space;
  ByteView rest;
};

std::optional<KeyParts> parts_of(ByteView key) {
  if (key.empty() || key.front() != kSlash) return std::nullopt;
  const auto end = std::find(key.begin() + 1, key.end(), kSlash);
  if (end == key.end()) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - key.begin());
  const KeyParts parts{as_text(key.subspan(1, length - 1)), key.subspan(length + 1)};
  return parts.space.empty() || parts.rest.empty() ? std::nullopt : std::optional(parts);
}

}  // namespace

bool Validator::same(ByteView, ByteView one, ByteView other) const {
  return std::ranges::equal(one, other);
}

Result<void> PublicKeyValidator::validate(ByteView key, ByteView value, WallTime) const {
  const auto parts = parts_of(key);
  if (!parts) return fail(Errc::invalid, "/pk key without a multihash");
  ASSIGN_OR_RETURN(const PeerId id, PeerId::from_bytes(parts->rest));
  RETURN_IF_ERROR(brought_key(id, value));
  return {};
}

std::size_t PublicKeyValidator::select(ByteView, std::span<const Bytes>) const { return 0; }

Result<void> PassThroughValidator::validate(ByteView, ByteView, WallTime) const { return {}; }

std::size_t PassThroughValidator::select(ByteView, std::span<const Bytes> values) const {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

Validators Validators::standard() {
  Validators validators;
  validators.set("pk", std::make_shared<PublicKeyValidator>());
  validators.set("ipns", std::make_shared<IpnsValidator>());
  return validators;
}

void Validators::set(std::string space, std::shared_ptr<const Validator> validator) {
  by_space_.insert_or_assign(std::move(space), std::move(validator));
}

const Validator* Validators::find(ByteView key) const {
  const auto parts = parts_of(key);
  if (!parts) return nullptr;
  const auto at = by_space_.find(parts->space);
  return at == by_space_.end() ? nullptr : at->second.get();
}

Result<void> Validators::accepts(ByteView key) const {
  if (!parts_of(key)) return fail(Errc::invalid, "a key is \"/namespace/rest\"");
  if (find(key)) return {};
  std::string known;
  for (const auto& [space, validator] : by_space_) known += " /" + space;
  return fail(Errc::invalid, "no validator for the key's namespace; this node knows" + known);
}

Result<void> Validators::validate(ByteView key, ByteView value, WallTime now) const {
  RETURN_IF_ERROR(accepts(key));
  return find(key)->validate(key, value, now);
}

std::size_t Validators::select(ByteView key, std::span<const Bytes> values) const {
  KAD_CHECK(!values.empty());
  const Validator* validator = find(key);
  KAD_CHECK(validator != nullptr);
  return validator->select(key, values);
}

bool Validators::same(ByteView key, ByteView one, ByteView other) const {
  const Validator* validator = find(key);
  KAD_CHECK(validator != nullptr);
  return validator->same(key, one, other);
}

}  // namespace kadmesh
