// Length-prefixed messages: uv(length) then that many bytes ("varint-delimited"), as every libp2p
// protobuf protocol frames its messages.
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"

namespace kadmesh {

void put_frame(Bytes& out, ByteView message);
Bytes frame(ByteView message);

// Cuts a byte stream into messages. The length is judged before anything is allocated for it, and
// memory grows only as bytes arrive, so a header alone costs the sender's 9 bytes and no more.
class FrameReader {
 public:
  // Errors of a reader: Errc::malformed for a bad prefix, Errc::limit for a length above `most`.
  explicit FrameReader(std::size_t most) : most_(most) {}

  // Takes bytes from the front of `in` up to the end of one message; `in` shrinks by what was
  // taken. A value is one whole message; none means that all of `in` was taken and more is needed.
  // After an error the reader must not be used again.
  Result<std::optional<Bytes>> next(ByteView& in);
  // The same without a copy of what lies whole in `in`: valid until the next call, and as long as
  // the bytes behind `in`.
  Result<std::optional<ByteView>> next_view(ByteView& in);

  // True between messages: at a clean end of stream nothing is cut off.
  bool at_boundary() const { return prefix_.empty() && !length_; }
  std::size_t buffered() const { return prefix_.size() + body_.size(); }

 private:
  Result<void> read_prefix(ByteView& in);
  Result<void> judge(std::uint64_t length);

  std::size_t most_;
  Bytes prefix_;
  std::optional<std::size_t> length_;  // of the message being read
  Bytes body_;
  bool lent_ = false;  // body_ is a whole message that the caller may be looking at
};

}  // namespace kadmesh
