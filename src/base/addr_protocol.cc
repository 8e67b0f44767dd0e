#include "base/addr_protocol.h"

#include <algorithm>
#include <array>

#include "base/ip_text.h"
#include "base/multibase.h"
#include "base/varint.h"

namespace kadmesh {
namespace {

bool any_value(ByteView) { return true; }

Bytes big_endian(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[size - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return bytes;
}

// --- numbers: ports, prefix lengths, the ids of memory -------------------------------------------

std::string print_number(ByteView value) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : value) number = number << 8 | byte;
  return std::to_string(number);
}

template <std::size_t kSize>
std::optional<Bytes> read_number(std::string_view text) {
  const auto number = parse_decimal(text, ~std::uint64_t{0} >> (64 - 8 * kSize));
  if (!number) return std::nullopt;
  return big_endian(*number, kSize);
}

// --- IP ------------------------------------------------------------------------------------------

template <auto kParse>
std::optional<Bytes> read_ip(std::string_view text) {
  const auto ip = kParse(text);
  if (!ip) return std::nullopt;
  return to_bytes(*ip);
}

// --- names: dns, sni, ip6zone --------------------------------------------------------------------

constexpr std::size_t kMostName = 253;  // of a domain name (RFC 1035, section 2.3.4)

bool printable(char c) { return c >= 0x20 && c <= 0x7e; }
bool in_name(char c) { return printable(c) && c != ' ' && c != '/'; }

bool valid_name(ByteView value) {
  return !value.empty() && value.size() <= kMostName &&
         std::ranges::all_of(as_text(value), in_name);
}

std::string print_bytes(ByteView value) { return std::string(as_text(value)); }
std::optional<Bytes> read_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

// --- unix: as in go, the path with its leading slash, and the rest of the address ----------------

bool valid_path(ByteView value) {
  const std::string_view path = as_text(value);
  return path.starts_with('/') && !path.ends_with('/') && std::ranges::all_of(path, printable);
}

// --- http-path: percent-encoded as one segment of a path (RFC 3986, section 3.3)

bool not_empty(ByteView value) { return !value.empty(); }

// What go leaves as it is.
bool plain_in_segment(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.~$&+=:@").find(c) != std::string_view::npos;
}

std::string print_segment(ByteView value) {
  std::string text;
  for (const std::uint8_t byte : value) {
    if (const char c = static_cast<char>(byte); plain_in_segment(c)) {
      text += c;
      continue;
    }
    text += '%';
    for (const char digit : to_hex({&byte, 1})) {
      text += digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
    }
  }
  return text;
}

std::optional<Bytes> read_segment(std::string_view text) {
  Bytes value;
  while (!text.empty()) {
    const std::size_t taken = text[0] == '%' ? 3 : 1;
    if (text.size() < taken) return std::nullopt;
    const auto bytes =
        taken == 3 ? from_hex(text.substr(1, 2)) : to_bytes(as_bytes(text.substr(0, 1)));
    if (!bytes) return std::nullopt;
    append(value, *bytes);
    text.remove_prefix(taken);
  }
  return value;
}

// --- p2p and certhash: multihashes ---------------------------------------------------------------

bool valid_peer(ByteView value) { return PeerId::from_bytes(value).has_value(); }
std::string print_peer(ByteView value) { return PeerId::from_bytes(value)->text(); }

std::optional<Bytes> read_peer(std::string_view text) {
  const auto id = PeerId::from_text(text);
  if (!id) return std::nullopt;
  return to_bytes(id->bytes());
}

std::optional<std::uint64_t> take_number(ByteView& in) {
  const auto read = get_varint(in);
  if (!read || !*read) return std::nullopt;
  in = in.subspan((*read)->size);
  return (*read)->value;
}

bool valid_multihash(ByteView value) {
  const auto code = take_number(value);
  const auto length = take_number(value);
  return code && length && *length == value.size();
}

std::string print_multibase(ByteView value) { return to_multibase(Base::base64url, value); }

std::optional<Bytes> read_multibase(std::string_view text) {
  auto value = from_multibase(text);
  if (!value) return std::nullopt;
  return *std::move(value);
}

// --- onion: the service's address in base 32, and a port that is not 0 ---------------------------

constexpr std::size_t kOnion = 10, kOnion3 = 35, kPort = 2;

bool valid_onion(ByteView value) {
  return std::ranges::any_of(value.last(kPort), [](std::uint8_t byte) { return byte != 0; });
}

std::string print_onion(ByteView value) {
  return to_base(Base::base32, value.first(value.size() - kPort)) + ':' +
         print_number(value.last(kPort));
}

template <std::size_t kService>
std::optional<Bytes> read_onion(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto value = from_base(Base::base32, text.substr(0, colon));
  const auto port = read_number<kPort>(text.substr(colon + 1));
  if (!value || value->size() != kService || !port) return std::nullopt;
  append(*value, *port);
  return *std::move(value);
}

// --- garlic: destinations of I2P, whole or hashed ------------------------------------------------

constexpr std::size_t kGarlic64 = 386;      // bytes of the shortest destination
constexpr std::size_t kGarlic32 = 32;       // a hash
constexpr std::size_t kGarlic32Blind = 35;  // the shortest name of an encrypted lease set

bool valid_garlic64(ByteView value) { return value.size() >= kGarlic64; }
bool valid_garlic32(ByteView value) {
  return value.size() == kGarlic32 || value.size() >= kGarlic32Blind;
}

// I2P writes base 64 with '~' where base64url has '_', padded.
std::string print_garlic64(ByteView value) {
  std::string text = to_base(Base::base64url, value);
  std::ranges::replace(text, '_', '~');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<Bytes> read_garlic64(std::string_view text) {
  if (text.find('_') != std::string_view::npos || text.size() % 4 != 0) return std::nullopt;
  std::string url(text.substr(0, text.find('=')));
  if (url.size() + 2 < text.size()) return std::nullopt;
  std::ranges::replace(url, '~', '_');
  auto value = from_base(Base::base64url, url);
  if (!value) return std::nullopt;
  return *std::move(value);
}

std::string print_base32(ByteView value) { return to_base(Base::base32, value); }

std::optional<Bytes> read_base32(std::string_view text) {
  auto value = from_base(Base::base32, text);
  if (!value) return std::nullopt;
  return *std::move(value);
}

// --- the table -----------------------------------------------------------------------------------

using enum AddrProtocol::Size;

constexpr AddrProtocol bare(AddrCode code, std::string_view name) {
  return {code, name, none, 0, any_value, nullptr, nullptr};
}
constexpr AddrProtocol port(AddrCode code, std::string_view name) {
  return {code, name, fixed, kPort, any_value, print_number, read_number<kPort>};
}
constexpr AddrProtocol named(AddrCode code, std::string_view name) {
  return {code, name, prefixed, 0, valid_name, print_bytes, read_bytes};
}

constexpr std::array kProtocols{
    AddrProtocol{AddrCode::ip4, "ip4", fixed, 4, any_value, ip4_text, read_ip<parse_ip4>},
    port(AddrCode::tcp, "tcp"),
    port(AddrCode::dccp, "dccp"),
    AddrProtocol{AddrCode::ip6, "ip6", fixed, 16, any_value, ip6_text, read_ip<parse_ip6>},
    named(AddrCode::ip6zone, "ip6zone"),
    AddrProtocol{AddrCode::ipcidr, "ipcidr", fixed, 1, any_value, print_number, read_number<1>},
    named(AddrCode::dns, "dns"),
    named(AddrCode::dns4, "dns4"),
    named(AddrCode::dns6, "dns6"),
    named(AddrCode::dnsaddr, "dnsaddr"),
    port(AddrCode::sctp, "sctp"),
    port(AddrCode::udp, "udp"),
    bare(AddrCode::p2p_webrtc_direct, "p2p-webrtc-direct"),
    bare(AddrCode::webrtc_direct, "webrtc-direct"),
    bare(AddrCode::webrtc, "webrtc"),
    bare(AddrCode::p2p_circuit, "p2p-circuit"),
    bare(AddrCode::udt, "udt"),
    bare(AddrCode::utp, "utp"),
    AddrProtocol{AddrCode::unix, "unix", prefixed, 0, valid_path, print_bytes, read_bytes, true},
    AddrProtocol{AddrCode::p2p, "p2p", prefixed, 0, valid_peer, print_peer, read_peer},
    bare(AddrCode::https, "https"),
    AddrProtocol{AddrCode::onion, "onion", fixed, kOnion + kPort, valid_onion, print_onion,
                 read_onion<kOnion>},
    AddrProtocol{AddrCode::onion3, "onion3", fixed, kOnion3 + kPort, valid_onion, print_onion,
                 read_onion<kOnion3>},
    AddrProtocol{AddrCode::garlic64, "garlic64", prefixed, 0, valid_garlic64, print_garlic64,
                 read_garlic64},
    AddrProtocol{AddrCode::garlic32, "garlic32", prefixed, 0, valid_garlic32, print_base32,
                 read_base32},
    bare(AddrCode::tls, "tls"),
    named(AddrCode::sni, "sni"),
    bare(AddrCode::noise, "noise"),
    bare(AddrCode::quic, "quic"),
    bare(AddrCode::quic_v1, "quic-v1"),
    bare(AddrCode::webtransport, "webtransport"),
    AddrProtocol{AddrCode::certhash, "certhash", prefixed, 0, valid_multihash, print_multibase,
                 read_multibase},
    bare(AddrCode::ws, "ws"),
    bare(AddrCode::wss, "wss"),
    bare(AddrCode::http, "http"),
    AddrProtocol{AddrCode::http_path, "http-path", prefixed, 0, not_empty, print_segment,
                 read_segment},
    // 8 bytes as go and rust write it; js writes text with a length.
    AddrProtocol{AddrCode::memory, "memory", fixed, 8, any_value, print_number, read_number<8>},
    bare(AddrCode::plaintextv2, "plaintextv2"),
};

}  // namespace

bool AddrProtocol::accepts(ByteView value) const {
  return (size == Size::prefixed || value.size() == fixed_size) && valid(value);
}

const AddrProtocol* find_addr_protocol(std::uint64_t code) {
  const auto row = std::ranges::find(kProtocols, code, [](const AddrProtocol& protocol) {
    return static_cast<std::uint64_t>(protocol.code);
  });
  return row == kProtocols.end() ? nullptr : &*row;
}

const AddrProtocol* find_addr_protocol(std::string_view name) {
  if (name == "ipfs") name = "p2p";
  const auto row = std::ranges::find(kProtocols, name, &AddrProtocol::name);
  return row == kProtocols.end() ? nullptr : &*row;
}

}  // namespace kadmesh
