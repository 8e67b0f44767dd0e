// What every floor above the transport knows of a connection: an authenticated peer with streams.
// That Noise and Yamux made it is known in connection.cc alone.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/keys.h"
#include "base/multiaddr.h"
#include "base/time.h"
#include "transport/role.h"
#include "transport/stream_id.h"

namespace kadmesh {

// Given out in order, never used again within one node.
enum class ConnId : std::uint64_t {};

struct StreamKey {
  ConnId conn;
  StreamId stream;
  friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
};

// A connection is up: its peer has proven its key and streams can be opened.
struct Established {
  ConnId id;
  PeerId peer;
  PublicKey key;
  Multiaddr local;
  Multiaddr remote;   // of the pipe; dialable only where opened_by_us
  bool opened_by_us;  // whose dial it was: tells where `remote` came from
  Role role;
  bool limited;      // a relay limits it
  bool first;        // the peer's connections went 0 -> 1
  bool early_muxer;  // agreed inside the Noise payload
};

// A connection that was up has ended.
struct Disconnected {
  ConnId id;
  PeerId peer;
  bool last;  // 1 -> 0
  Error cause;
};

// A stream is ours to use: the other side opened it for a protocol that we serve, or answered our
// open. Everything before it (negotiation) has been consumed.
struct StreamOpened {
  StreamKey key;
  PeerId peer;
  std::string protocol;
  bool opened_by_us;
};
// Our open came to nothing; the key is dead.
struct OpenFailed {
  StreamKey key;
  PeerId peer;
  Error cause;
};
// Bytes have come since the last of these was polled; none for bytes that merely were not consumed.
struct StreamReadable {
  StreamKey key;
};
// After a write() that fell short: there is room again. The next one may fall short, too.
struct StreamWritable {
  StreamKey key;
};
// The other side has sent its last byte, and all of them have been consumed.
struct StreamFinished {
  StreamKey key;
};
// Dead in both directions: by the peer, by its connection's end, or by a deadline.
struct StreamReset {
  StreamKey key;
  Error cause;
};

}  // namespace kadmesh
