// Codes of a stream's reset: Yamux carries one in the length of the frame, and go prints it (libp2p
// specs, error-codes).
#pragma once

#include <cstdint>

namespace kadmesh::stream_code {

inline constexpr std::uint32_t kNone = 0;
inline constexpr std::uint32_t kNegotiationFailed = 0x1001;
inline constexpr std::uint32_t kResourceLimit = 0x1002;
inline constexpr std::uint32_t kProtocolViolation = 0x1004;
inline constexpr std::uint32_t kSupplanted = 0x1005;
inline constexpr std::uint32_t kGarbageCollected = 0x1006;

}  // namespace kadmesh::stream_code
