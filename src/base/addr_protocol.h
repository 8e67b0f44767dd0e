// The table of protocols that a multiaddr is made of: code, name, size and text of each
// (multiformats/multiaddr, protocols.csv). One row knows all about its protocol.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/multiaddr.h"

namespace kadmesh {

struct AddrProtocol {
  AddrCode code;
  std::string_view name;
  // Bytes of the value: none, so many, or as many as a length before them says.
  enum class Size { none, fixed, prefixed } size;
  std::size_t fixed_size;
  // Whether these bytes, of a fitting size, are a value. What is one has a text that reads back.
  bool (*valid)(ByteView value);
  std::string (*print)(ByteView value);
  // What was read still has to be valid.
  std::optional<Bytes> (*read)(std::string_view text);
  // The text of the value goes on to the end of the address, slashes included.
  bool takes_rest = false;

  bool accepts(ByteView value) const;
};

// Null when there is no such protocol. The name "ipfs" is an older one of p2p.
const AddrProtocol* find_addr_protocol(std::uint64_t code);
const AddrProtocol* find_addr_protocol(std::string_view name);

}  // namespace kadmesh
