// Covers: src/base/multiaddr.cc src/base/addr_protocol.cc src/base/ip_text.cc src/base/multibase.cc
#include "base/check.h"
#include "base/multiaddr.h"

using namespace kadmesh;

namespace {

// What stands behind /unix becomes part of its path in text.
bool text_holds_all(const Multiaddr& addr) {
  const auto parts = addr.parts();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].code == AddrCode::unix) return false;
  }
  return true;
}

bool printable(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

void check_text(const Multiaddr& addr) {
  const std::string text = addr.text();
  KAD_CHECK(printable(text));
  const auto again = Multiaddr::from_text(text);
  KAD_CHECK(again && again->text() == text);
  KAD_CHECK(*again == addr || !text_holds_all(addr));
}

void check_peer(const Multiaddr& addr) {
  const PeerId id = PeerId::of_key(Bytes{1});
  const Multiaddr named = addr.with_peer(id);
  KAD_CHECK(named.peer() == id);
  const bool only_peer = addr.parts().size() == 1 && addr.peer();
  KAD_CHECK(named.without_peer() == (only_peer ? named : addr.without_peer()));
  KAD_CHECK(named.tcp_endpoint() == addr.tcp_endpoint());
}

void check_endpoint(const Multiaddr& addr) {
  const auto endpoint = addr.tcp_endpoint();
  if (endpoint) KAD_CHECK(Multiaddr::tcp(*endpoint) == addr.without_peer());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto addr = Multiaddr::from_bytes(input)) {
    KAD_CHECK(equal(addr->bytes(), input));
    KAD_CHECK(addr->bytes().size() <= Multiaddr::kMostSize);
    KAD_CHECK(!addr->parts().empty() && addr->parts().size() <= Multiaddr::kMostParts);
    check_text(*addr);
    check_peer(*addr);
    check_endpoint(*addr);
  }
  if (const auto addr = Multiaddr::from_text(as_text(input))) {
    KAD_CHECK(Multiaddr::from_bytes(addr->bytes()) == *addr);
    check_text(*addr);
    KAD_CHECK(text_holds_all(*addr));
  }
  return 0;
}
