// Bytes as values, undoing encode.h. Total: any bytes give a value or an error, nothing is
// allocated beyond a small multiple of what was given, and only what encode() writes is taken.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <expected>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "kad/policies.h"
#include "replay/code_names.h"
#include "replay/fields.h"

namespace kadmesh::replay {

// Reads from the front. After the first fault everything reads as zero or empty, and ok() says so:
// a caller asks once, at the end.
class Decoder {
 public:
  explicit Decoder(ByteView in) : rest_(in) {}

  bool ok() const { return !failed_; }
  bool at_end() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::uint64_t number();
  std::int64_t signed_number();
  std::uint64_t at_most(std::uint64_t most);
  ByteView take(std::size_t count);
  ByteView bytes() { return take(number()); }

  // A value of any type that inputs and configurations hold. Views are into what was given.
  template <class T>
  T value() {
    return read(std::type_identity<T>());
  }

 private:
  ByteView read(std::type_identity<ByteView>) { return bytes(); }
  Bytes read(std::type_identity<Bytes>) { return to_bytes(bytes()); }
  std::string read(std::type_identity<std::string>) { return std::string(as_text(bytes())); }
  bool read(std::type_identity<bool>) { return at_most(1) == 1; }
  Duration read(std::type_identity<Duration>) { return Duration(signed_number()); }
  Time read(std::type_identity<Time>) { return Time(value<Duration>()); }
  WallTime read(std::type_identity<WallTime>) { return WallTime(value<Duration>()); }
  PeerId read(std::type_identity<PeerId>);
  Multiaddr read(std::type_identity<Multiaddr>);
  double read(std::type_identity<double>) { return std::bit_cast<double>(number()); }
  IpPrefix read(std::type_identity<IpPrefix>);
  Validators read(std::type_identity<Validators>);
  MessageIdFunction read(std::type_identity<MessageIdFunction>);
  TopicFilter read(std::type_identity<TopicFilter>) { return nullptr; }
  MessageValidator read(std::type_identity<MessageValidator>) { return nullptr; }
  std::shared_ptr<SignatureMemo> read(std::type_identity<std::shared_ptr<SignatureMemo>>) {
    return nullptr;
  }

  template <class Policy>
  std::shared_ptr<const Policy> read(std::type_identity<std::shared_ptr<const Policy>>) {
    auto policy = policy_named<Policy>(as_text(bytes()));
    if (policy) return policy;
    fail();
    return policies<Policy>().front().second;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> read(std::type_identity<std::array<std::uint8_t, N>>) {
    std::array<std::uint8_t, N> out{};
    std::ranges::copy(take(N), out.begin());
    return out;
  }
  template <std::unsigned_integral T>
  T read(std::type_identity<T>) {
    return static_cast<T>(at_most(std::numeric_limits<T>::max()));
  }
  template <IdType T>
  T read(std::type_identity<T>) {
    return T{number()};
  }
  template <class T>
    requires(std::is_enum_v<T> && !IdType<T>)
  T read(std::type_identity<T>) {
    return static_cast<T>(at_most(static_cast<std::uint64_t>(kLast<T>)));
  }
  template <class T>
  Result<T> read(std::type_identity<Result<T>>) {
    if (value<bool>()) return value<T>();
    return std::unexpected(value<Error>());
  }
  template <class T>
  std::optional<T> read(std::type_identity<std::optional<T>>) {
    if (value<bool>()) return value<T>();
    return std::nullopt;
  }
  template <class T>
  std::vector<T> read(std::type_identity<std::vector<T>>) {
    std::vector<T> out;
    const std::uint64_t count = at_most(rest_.size());  // each takes a byte or more
    for (std::uint64_t i = 0; i < count && ok(); ++i) out.push_back(value<T>());
    return out;
  }
  template <class K, class V>
  std::map<K, V> read(std::type_identity<std::map<K, V>>) {
    std::map<K, V> out;
    const std::uint64_t count = at_most(rest_.size());
    for (std::uint64_t i = 0; i < count && ok(); ++i) {
      K key = value<K>();
      if (!out.empty() && key <= out.rbegin()->first) fail();  // one order for each map
      out.insert_or_assign(std::move(key), value<V>());
    }
    return out;
  }
  template <class... T>
  std::variant<T...> read(std::type_identity<std::variant<T...>>) {
    using Variant = std::variant<T...>;
    constexpr std::array<Variant (*)(Decoder&), sizeof...(T)> kReaders{
        [](Decoder& in) { return Variant(in.value<T>()); }...};
    return kReaders[at_most(sizeof...(T) - 1)](*this);
  }
  template <HasFields T>
  T read(std::type_identity<T>) {
    using Types = decltype(Fields<T>::of(std::declval<T&>(), [](auto&... field) {
      return std::type_identity<std::tuple<std::remove_cvref_t<decltype(field)>...>>();
    }));
    return read_fields<T>(Types());
  }
  // Braces: evaluated in order.
  template <class T, class... F>
  T read_fields(std::type_identity<std::tuple<F...>>) {
    return T{value<F>()...};
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace kadmesh::replay
