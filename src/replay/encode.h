// Values as bytes, one way for each value: what a capture keeps of inputs, and what the outputs of
// a recording and of its replay are compared by.
//
//   number        LEB128, as many bytes as it takes; signed ones zigzag
//   bytes, text   length, content
//   list          count, each;  optional: 0 | 1 value;  result: 1 value | 0 error
//   variant       index, value;  struct: its fields (fields.h), nothing between
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "kad/policies.h"
#include "replay/code_names.h"
#include "replay/fields.h"

namespace kadmesh::replay {

void encode_number(Bytes& out, std::uint64_t number);
void encode_signed(Bytes& out, std::int64_t number);

inline void encode_bytes(Bytes& out, ByteView bytes) {
  encode_number(out, bytes.size());
  append(out, bytes);
}

inline void encode(Bytes& out, ByteView bytes) { encode_bytes(out, bytes); }
inline void encode(Bytes& out, const Bytes& bytes) { encode_bytes(out, bytes); }
inline void encode(Bytes& out, std::string_view text) { encode_bytes(out, as_bytes(text)); }
inline void encode(Bytes& out, const PeerId& peer) { encode_bytes(out, peer.bytes()); }
inline void encode(Bytes& out, const Multiaddr& addr) { encode_bytes(out, addr.bytes()); }
template <std::size_t N>
void encode(Bytes& out, const std::array<std::uint8_t, N>& bytes) {
  append(out, bytes);
}
inline void encode(Bytes& out, Duration duration) { encode_signed(out, duration.count()); }
inline void encode(Bytes& out, Time time) { encode(out, time.time_since_epoch()); }
inline void encode(Bytes& out, WallTime time) { encode(out, time.time_since_epoch()); }

template <class T>
  requires std::unsigned_integral<T> || std::is_enum_v<T>
void encode(Bytes& out, T number) {
  encode_number(out, static_cast<std::uint64_t>(number));
}
// The same bits on every machine.
inline void encode(Bytes& out, double number) {
  encode_number(out, std::bit_cast<std::uint64_t>(number));
}
inline void encode(Bytes& out, const IpPrefix& prefix) { encode(out, prefix.text()); }
inline void encode(Bytes& out, const Dialable& at) {
  encode(out, at.addr());
  encode(out, at.source());
}
// Code cannot be written down: by its name. What has none (recordable() says so beforehand) is 0.
inline void encode(Bytes& out, const MessageIdFunction& function) {
  encode_number(out, code_of(function));
}
void encode(Bytes& out, const Validators& validators);
template <class Policy>
void encode(Bytes& out, const std::shared_ptr<const Policy>& policy) {
  encode(out, name_of(policy));
}
// Those have no names at all.
inline void encode(Bytes&, const TopicFilter&) {}
inline void encode(Bytes&, const MessageValidator&) {}
// What a node has of it costs less, and is the same.
inline void encode(Bytes&, const std::shared_ptr<SignatureMemo>&) {}

template <HasFields T>
void encode(Bytes& out, const T& value);
template <class... T>
void encode(Bytes& out, const std::variant<T...>& value);
template <class T>
void encode(Bytes& out, const std::optional<T>& value);
template <class T>
void encode(Bytes& out, const Result<T>& value);
template <class T>
void encode(Bytes& out, const std::vector<T>& list);
template <class K, class V>
void encode(Bytes& out, const std::map<K, V>& map);

template <HasFields T>
void encode(Bytes& out, const T& value) {
  Fields<T>::of(value, [&](const auto&... field) { (encode(out, field), ...); });
}
template <class... T>
void encode(Bytes& out, const std::variant<T...>& value) {
  encode_number(out, value.index());
  std::visit([&](const auto& alternative) { encode(out, alternative); }, value);
}
template <class T>
void encode(Bytes& out, const std::optional<T>& value) {
  encode(out, value.has_value());
  if (value) encode(out, *value);
}
template <class T>
void encode(Bytes& out, const Result<T>& value) {
  encode(out, value.has_value());
  if (!value) return encode(out, value.error());
  if constexpr (!std::is_void_v<T>) encode(out, *value);
}
template <class T>
void encode(Bytes& out, const std::vector<T>& list) {
  encode_number(out, list.size());
  for (const T& item : list) encode(out, item);
}
template <class K, class V>
void encode(Bytes& out, const std::map<K, V>& map) {
  encode_number(out, map.size());
  for (const auto& [key, value] : map) encode(out, key), encode(out, value);
}

}  // namespace kadmesh::replay
