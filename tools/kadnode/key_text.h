// Keys of the DHT as people type them.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace kadmesh::kadnode {

// A multihash: given in hexadecimal (`1220...`), as a CIDv0 (`Qm...`), or made of any other text.
Bytes parse_content_key(std::string_view text);
// The SHA-256 multihash of text.
Bytes hashed_content_key(std::string_view text);
// The text's bytes; /pk/PEER and /ipns/PEER take the peer's id as text.
Bytes parse_record_key(std::string_view text);
// Whatever has a place among peers' ids: a peer, a record's key (it begins with '/'), or content.
Bytes parse_any_key(std::string_view text);

}  // namespace kadmesh::kadnode
