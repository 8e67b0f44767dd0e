// The key of a name that its hash alone is in, brought by somebody: a PublicKey protobuf in
// whatever encoding (store/loose_proto.h), as go and js take it. The name is the hash of the
// canonical one (libp2p specs, peer-ids/peer-ids.md, "Keys").
#pragma once

#include "base/keys.h"
#include "base/peer_id.h"

namespace kadmesh {

// Errc::auth for the key of another name, Errc::malformed for no such protobuf, else what
// PublicKey::from_proto says.
Result<PublicKey> brought_key(const PeerId& name, ByteView proto);

}  // namespace kadmesh
