// Values as text for people: NAME field=value ... Bytes are shown as their number and the head of
// their SHA-256, so that a line tells two of them apart and gives none away.
#pragma once

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "replay/fields.h"

namespace kadmesh::replay {

void print_bytes(std::string& out, ByteView bytes);
void print_text(std::string& out, std::string_view text);  // quoted, printable
void print_endpoint(std::string& out, const Endpoint& endpoint);
// The first of "a, b, c", which loses it.
std::string_view next_name(std::string_view& names);

inline void print(std::string& out, ByteView bytes) { print_bytes(out, bytes); }
inline void print(std::string& out, const Bytes& bytes) { print_bytes(out, bytes); }
inline void print(std::string& out, std::string_view text) { print_text(out, text); }
inline void print(std::string& out, const std::string& text) { print_text(out, text); }
inline void print(std::string& out, const PeerId& peer) { out += peer.short_text(); }
inline void print(std::string& out, const Multiaddr& addr) { out += addr.text(); }
inline void print(std::string& out, const Dialable& at) { out += at.addr().text(); }
inline void print(std::string& out, const Endpoint& endpoint) { print_endpoint(out, endpoint); }
// The detail may quote what a peer sent.
inline void print(std::string& out, const Error& error) {
  out += name(error.code);
  if (!error.detail.empty()) print_text(out += ": ", error.detail);
}
// With it, a recording of the network can be decrypted.
inline void print(std::string& out, const KeyLogLine& secret) {
  print_bytes(out += "KeyLogLine line=", as_bytes(secret.line));
}
inline void print(std::string& out, bool yes) { out += yes ? "yes" : "no"; }
inline void print(std::string& out, double number) {
  std::array<char, 64> text;
  out.append(text.begin(), std::to_chars(text.begin(), text.end(), number).ptr);
}
inline void print(std::string& out, Duration duration) {
  out += std::to_string(duration.count()) + "ns";
}
inline void print(std::string& out, Time time) {
  if (time == kNever) {
    out += "never";
  } else {
    print(out, time.time_since_epoch());
  }
}
inline void print(std::string& out, WallTime time) { out += to_rfc3339(time); }
template <class T>
  requires std::unsigned_integral<T> || std::is_enum_v<T>
void print(std::string& out, T number) {
  out += std::to_string(static_cast<std::uint64_t>(number));
}

template <HasFields T>
void print(std::string& out, const T& value);
template <class... T>
void print(std::string& out, const std::variant<T...>& value);
template <class T>
void print(std::string& out, const std::optional<T>& value);
template <class T>
void print(std::string& out, const Result<T>& value);
template <class T>
void print(std::string& out, const std::vector<T>& list);

template <HasFields T>
void print(std::string& out, const T& value) {
  std::string_view name = Fields<T>::kName;
  if (const auto space = name.rfind(':'); space != name.npos) name.remove_prefix(space + 1);
  out += name;
  std::string_view names = Fields<T>::kNames;
  const auto field = [&](const auto& content) {
    out.append(" ").append(next_name(names)).append("=");
    constexpr bool kNested = HasFields<std::remove_cvref_t<decltype(content)>> &&
                             !std::is_same_v<std::remove_cvref_t<decltype(content)>, Error>;
    if (kNested) out += "{";
    print(out, content);
    if (kNested) out += "}";
  };
  Fields<T>::of(value, [&](const auto&... each) { (field(each), ...); });
}
template <class... T>
void print(std::string& out, const std::variant<T...>& value) {
  std::visit([&](const auto& alternative) { print(out, alternative); }, value);
}
template <class T>
void print(std::string& out, const std::optional<T>& value) {
  if (value) {
    print(out, *value);
  } else {
    out += "none";
  }
}
template <class T>
void print(std::string& out, const Result<T>& value) {
  if (!value) {
    print(out, value.error());
  } else if constexpr (std::is_void_v<T>) {
    out += "ok";
  } else {
    print(out, *value);
  }
}
template <class T>
void print(std::string& out, const std::vector<T>& list) {
  out += "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ", ";
    print(out, list[i]);
  }
  out += "]";
}

}  // namespace kadmesh::replay
