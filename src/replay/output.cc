#include "replay/output.h"

#include <algorithm>

#include "base/crypto.h"
#include "replay/encode.h"
#include "replay/print.h"

namespace kadmesh {
namespace replay {

void print_bytes(std::string& out, ByteView bytes) {
  constexpr std::size_t kHead = 4;
  out += std::to_string(bytes.size()) + " B";
  if (!bytes.empty()) out += " #" + to_hex(ByteView(sha256(bytes)).first(kHead));
}

void print_text(std::string& out, std::string_view text) {
  constexpr std::size_t kMost = 200;
  out += '"';
  for (const char c : text.substr(0, kMost)) out += c >= ' ' && c <= '~' && c != '"' ? c : '?';
  out += text.size() > kMost ? "...\"" : "\"";
}

void print_endpoint(std::string& out, const Endpoint& endpoint) {
  out += Multiaddr::tcp(endpoint).text();
}

std::string_view next_name(std::string_view& names) {
  const std::size_t end = std::min(names.find(','), names.size());
  const std::string_view name = names.substr(0, end);
  names.remove_prefix(std::min(names.find_first_not_of(", ", end), names.size()));
  return name;
}

}  // namespace replay
namespace {

using replay::encode;
using replay::print;

// --- kinds: 0 the answer; actions by their place, and behind these the reports
constexpr std::uint8_t kAnswer = 0;
constexpr std::size_t kReports = std::variant_size_v<NodeAction>;

std::uint8_t kind_of(const NodeAction& action) {
  if (const auto* report = std::get_if<Report>(&action))
    return static_cast<std::uint8_t>(kReports + 1 + report->index());
  return static_cast<std::uint8_t>(1 + action.index());
}

template <class... Actions>
std::string_view name_of_action(std::size_t index, std::type_identity<std::variant<Actions...>>) {
  constexpr auto name = []<class T>(std::type_identity<T>) {
    if constexpr (HasFields<T>)
      return Fields<T>::kName;
    else
      return std::string_view("StreamEvent");  // the one report that is a variant itself
  };
  constexpr std::string_view kNames[] = {name(std::type_identity<Actions>())...};
  return index < std::size(kNames) ? kNames[index] : "?";
}

template <class T>
CaptureOutput output(std::uint8_t kind, const T& value) {
  Bytes bytes;
  encode(bytes, value);
  CaptureOutput out{kind, bytes.size(), {}};
  std::copy_n(sha256(bytes).begin(), out.digest.size(), out.digest.begin());
  return out;
}

template <class T>
std::string text_of(const T& value) {
  std::string out;
  print(out, value);
  return out;
}

}  // namespace

bool is_nothing(const NodeAnswer& answer) { return std::holds_alternative<std::monostate>(answer); }
CaptureOutput output_of(const NodeAnswer& answer) { return output(kAnswer, answer); }
CaptureOutput output_of(const NodeAction& action) { return output(kind_of(action), action); }

std::string_view name_of_output(std::uint8_t kind) {
  if (kind == kAnswer) return "answer";
  if (kind <= kReports) return name_of_action(kind - 1u, std::type_identity<NodeAction>());
  return name_of_action(kind - 1u - kReports, std::type_identity<Report>());
}

std::string to_text(const NodeInput& input) { return text_of(input); }
std::string to_text(const NodeAnswer& answer) { return "answer " + text_of(answer); }
std::string to_text(const NodeAction& action) { return text_of(action); }

}  // namespace kadmesh
