// A node's identity on disk: libp2p's PrivateKey protobuf, as go, rust and js keep it, readable by
// its owner alone.
#pragma once

#include <filesystem>

#include "base/keys.h"

namespace kadmesh {

// Errc::not_found when there is no such file, Errc::io, Errc::malformed; Errc::invalid when others
// can read it.
Result<KeyPair> read_identity(const std::filesystem::path& file);
// Never overwrites. The file appears whole or not at all, with mode 0600.
Result<void> write_identity(const std::filesystem::path& file, const KeyPair& identity);
// Reads it, or makes one and writes it.
Result<KeyPair> read_or_make_identity(const std::filesystem::path& file);

}  // namespace kadmesh
