#include "base/multiaddr.h"

#include <algorithm>
#include <utility>

#include "base/addr_protocol.h"
#include "base/check.h"
#include "base/ip_text.h"
#include "base/varint.h"

namespace kadmesh {
namespace {

// Text beyond this cannot hold an address within kMostSize: a byte takes three characters at most
// (http-path), apart from the names.
constexpr std::size_t kMostText = 4 * Multiaddr::kMostSize;

constexpr std::size_t kMostQuote = 40;

// Text of a peer inside an error: short, and nothing that could act on a terminal or a log.
std::string quote(std::string_view text) {
  std::string quoted(text.substr(0, kMostQuote));
  std::ranges::replace_if(quoted, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return '"' + quoted + '"';
}

Result<std::uint64_t> take_number(ByteView& in) {
  ASSIGN_OR_RETURN(const std::optional<Varint> number, get_varint(in));
  if (!number) return fail(Errc::malformed, "address cut short");
  in = in.subspan(number->size);
  return number->value;
}

Result<std::size_t> value_size(const AddrProtocol& protocol, ByteView& in) {
  if (protocol.size != AddrProtocol::Size::prefixed) return protocol.fixed_size;
  ASSIGN_OR_RETURN(const std::uint64_t size, take_number(in));
  return size;
}

// One part from the front of a binary address.
Result<AddrPart> take_part(ByteView& in) {
  ASSIGN_OR_RETURN(const std::uint64_t code, take_number(in));
  const AddrProtocol* protocol = find_addr_protocol(code);
  if (!protocol) return fail(Errc::unsupported, "address protocol " + std::to_string(code));
  ASSIGN_OR_RETURN(const std::size_t size, value_size(*protocol, in));
  if (size > in.size()) {
    return fail(Errc::malformed, "/" + std::string(protocol->name) + " cut short");
  }
  const AddrPart part{protocol->code, in.first(size)};
  in = in.subspan(size);
  if (!protocol->accepts(part.value)) {
    return fail(Errc::malformed, "bad value of /" + std::string(protocol->name));
  }
  return part;
}

void put_part(Bytes& out, const AddrProtocol& protocol, ByteView value) {
  put_varint(out, static_cast<std::uint64_t>(protocol.code));
  if (protocol.size == AddrProtocol::Size::prefixed) put_varint(out, value.size());
  append(out, value);
}

void put_part(Bytes& out, AddrCode code, ByteView value) {
  put_part(out, *find_addr_protocol(static_cast<std::uint64_t>(code)), value);
}

// The item at the front of "/item/rest"; `text` goes on at "/rest".
std::optional<std::string_view> take_item(std::string_view& text) {
  if (!text.starts_with('/')) return std::nullopt;
  const std::string_view item = text.substr(1, text.find('/', 1) - 1);
  text.remove_prefix(1 + item.size());
  return item;
}

std::optional<Bytes> take_value(const AddrProtocol& protocol, std::string_view& text) {
  if (protocol.takes_rest) return protocol.read(std::exchange(text, {}));
  const auto item = take_item(text);
  return item ? protocol.read(*item) : std::nullopt;
}

// One part from the front of a text.
Result<void> take_text_part(std::string_view& text, Bytes& out) {
  const std::string_view from = text;
  const auto name = take_item(text);
  if (!name || name->empty()) return fail(Errc::malformed, "address text at " + quote(from));
  const AddrProtocol* protocol = find_addr_protocol(*name);
  if (!protocol) return fail(Errc::unsupported, "address protocol " + quote(*name));
  Bytes value;
  if (protocol->size != AddrProtocol::Size::none) {
    auto read = take_value(*protocol, text);
    if (!read || !protocol->accepts(*read)) {
      return fail(Errc::malformed, "bad value in " + quote(from));
    }
    value = *std::move(read);
  }
  put_part(out, *protocol, value);
  return {};
}

std::string part_text(const AddrPart& part) {
  const AddrProtocol& protocol = *find_addr_protocol(static_cast<std::uint64_t>(part.code));
  std::string text = "/" + std::string(protocol.name);
  if (protocol.size == AddrProtocol::Size::none) return text;
  return text + (protocol.takes_rest ? "" : "/") + protocol.print(part.value);
}

// "/ip4/1.2.3.4/tcp/5", as most addresses are: of its two parts any value will do. A walk reads and
// copies hundreds.
constexpr std::size_t kTcp4Port = 5;
bool is_tcp4(ByteView bytes) {
  return bytes.size() == kTcp4Port + 3 && bytes[0] == std::to_underlying(AddrCode::ip4) &&
         bytes[kTcp4Port] == std::to_underlying(AddrCode::tcp);
}

// The last part, and how many bytes stand before it.
struct Tail {
  AddrPart part;
  std::size_t before;
};

Tail tail_of(ByteView bytes) {
  if (is_tcp4(bytes)) return {{AddrCode::tcp, bytes.subspan(kTcp4Port + 1)}, kTcp4Port};
  ByteView rest = bytes;
  for (;;) {
    const std::size_t before = bytes.size() - rest.size();
    const auto part = take_part(rest);
    KAD_CHECK(part);  // an address was checked when it was made, and is not empty
    if (rest.empty()) return {*part, before};
  }
}

bool is_ip(AddrCode code) { return code == AddrCode::ip4 || code == AddrCode::ip6; }

Endpoint to_endpoint(const AddrPart& ip, const AddrPart& port) {
  Endpoint endpoint;
  std::ranges::copy(ip.value, endpoint.host.begin());
  endpoint.v6 = ip.code == AddrCode::ip6;
  endpoint.port = static_cast<std::uint16_t>(port.value[0] << 8 | port.value[1]);
  return endpoint;
}

Ip6 loopback6() {
  Ip6 ip{};
  ip[15] = 1;
  return ip;
}

// ::ffff:127.0.0.1 is a loopback too.
ByteView unmapped(const Endpoint& endpoint) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const ByteView address = endpoint.address();
  const bool mapped = endpoint.v6 && equal(address.first(kMapped.size()), kMapped);
  return mapped ? address.last(4) : address;
}

}  // namespace

bool Endpoint::loopback() const {
  const ByteView address = unmapped(*this);
  return address.size() == 4 ? address[0] == 127 : equal(address, loopback6());
}

bool Endpoint::unspecified() const {
  return std::ranges::all_of(unmapped(*this), [](std::uint8_t byte) { return byte == 0; });
}

Result<Multiaddr> Multiaddr::from_text(std::string_view text) {
  if (text.size() > kMostText) return fail(Errc::limit, "address text too long");
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return fail(Errc::malformed, "empty address");
  Bytes bytes;
  for (std::size_t parts = 0; !text.empty(); ++parts) {
    if (parts == kMostParts) return fail(Errc::limit, "address of too many parts");
    RETURN_IF_ERROR(take_text_part(text, bytes));
  }
  if (bytes.size() > kMostSize) return fail(Errc::limit, "address too long");
  return Multiaddr(std::move(bytes));
}

Result<Multiaddr> Multiaddr::from_bytes(ByteView bytes) {
  if (is_tcp4(bytes)) return Multiaddr(to_bytes(bytes));
  if (bytes.empty()) return fail(Errc::malformed, "empty address");
  if (bytes.size() > kMostSize) return fail(Errc::limit, "address too long");
  ByteView rest = bytes;
  for (std::size_t parts = 0; !rest.empty(); ++parts) {
    if (parts == kMostParts) return fail(Errc::limit, "address of too many parts");
    RETURN_IF_ERROR(take_part(rest));
  }
  return Multiaddr(to_bytes(bytes));
}

Multiaddr Multiaddr::tcp(const Endpoint& endpoint) {
  const std::array<std::uint8_t, 2> port{static_cast<std::uint8_t>(endpoint.port >> 8),
                                         static_cast<std::uint8_t>(endpoint.port & 0xff)};
  Bytes bytes;
  put_part(bytes, endpoint.v6 ? AddrCode::ip6 : AddrCode::ip4, endpoint.address());
  put_part(bytes, AddrCode::tcp, port);
  return Multiaddr(std::move(bytes));
}

std::string Multiaddr::text() const {
  std::string text;
  for (const AddrPart& part : parts()) text += part_text(part);
  return text;
}

std::vector<AddrPart> Multiaddr::parts() const {
  std::vector<AddrPart> parts;
  for (ByteView rest = bytes_; !rest.empty();) {
    const auto part = take_part(rest);
    KAD_CHECK(part);
    parts.push_back(*part);
  }
  return parts;
}

bool Multiaddr::has(AddrCode code) const {
  return std::ranges::any_of(parts(), [code](const AddrPart& part) { return part.code == code; });
}

std::optional<PeerId> Multiaddr::peer() const {
  const AddrPart last = tail_of(bytes_).part;
  if (last.code != AddrCode::p2p) return std::nullopt;
  return PeerId::from_bytes(last.value).value();
}

Multiaddr Multiaddr::with_peer(const PeerId& id) const {
  const Tail tail = tail_of(bytes_);
  const bool named = tail.part.code == AddrCode::p2p;
  Bytes bytes = to_bytes(ByteView(bytes_).first(named ? tail.before : bytes_.size()));
  put_part(bytes, AddrCode::p2p, id.bytes());
  return Multiaddr(std::move(bytes));
}

Multiaddr Multiaddr::without_peer() const {
  const Tail tail = tail_of(bytes_);
  if (tail.part.code != AddrCode::p2p || tail.before == 0) return *this;
  return Multiaddr(to_bytes(ByteView(bytes_).first(tail.before)));
}

std::optional<Endpoint> Multiaddr::tcp_endpoint() const {
  const std::vector<AddrPart> all = parts();
  if (all.size() < 2 || !is_ip(all[0].code) || all[1].code != AddrCode::tcp) return std::nullopt;
  if (all.size() > 3 || (all.size() == 3 && all[2].code != AddrCode::p2p)) return std::nullopt;
  return to_endpoint(all[0], all[1]);
}

}  // namespace kadmesh

std::size_t std::hash<kadmesh::Multiaddr>::operator()(
    const kadmesh::Multiaddr& addr) const noexcept {
  return std::hash<std::string_view>{}(kadmesh::as_text(addr.bytes()));
}
