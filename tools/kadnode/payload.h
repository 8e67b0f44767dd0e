// A value between a command and a file.
#pragma once

#include "kadnode/command.h"

namespace kadmesh::kadnode {

// Twice what a record may have and what a gossip message may have by default; the node says which
// limit was reached.
inline constexpr std::size_t kMostPayloadFile = 2 * 1024 * 1024;

// What was typed, or what is in the file. Errc::io, Errc::limit.
Result<Bytes> contents(const Payload& payload);
// Errc::io.
Result<void> write_file(const std::string& file, const Bytes& bytes);

}  // namespace kadmesh::kadnode
