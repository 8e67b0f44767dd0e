#include "base/framing.h"

#include <algorithm>
#include <utility>

#include "base/varint.h"

namespace kadmesh {
namespace {

ByteView take(ByteView& in, std::size_t count) {
  const ByteView front = in.first(count);
  in = in.subspan(count);
  return front;
}

}  // namespace

void put_frame(Bytes& out, ByteView message) {
  put_varint(out, message.size());
  append(out, message);
}

Bytes frame(ByteView message) {
  Bytes out;
  out.reserve(varint_size(message.size()) + message.size());
  put_frame(out, message);
  return out;
}

Result<void> FrameReader::judge(std::uint64_t length) {
  if (length > most_) {
    return fail(Errc::limit, "message of " + std::to_string(length) + " bytes, at most " +
                                 std::to_string(most_) + " are taken");
  }
  length_ = length;
  return {};
}

// Kept only where it is cut off.
Result<void> FrameReader::read_prefix(ByteView& in) {
  const std::size_t held = prefix_.size();
  if (held > 0) append(prefix_, in.first(std::min(in.size(), kMostVarintSize - held)));
  ASSIGN_OR_RETURN(const std::optional<Varint> length, get_varint(held > 0 ? prefix_ : in));
  if (length) {
    take(in, length->size - held);
    prefix_.clear();
    return judge(length->value);
  }
  if (held == 0) append(prefix_, in);
  take(in, prefix_.size() - held);
  return {};
}

Result<std::optional<ByteView>> FrameReader::next_view(ByteView& in) {
  if (std::exchange(lent_, false)) body_ = Bytes();
  if (!length_) RETURN_IF_ERROR(read_prefix(in));
  if (!length_) return std::nullopt;
  if (body_.empty() && *length_ <= in.size()) return take(in, *std::exchange(length_, {}));
  append(body_, take(in, std::min(in.size(), *length_ - body_.size())));
  if (body_.size() < *length_) return std::nullopt;
  length_.reset();
  lent_ = true;
  return body_;
}

Result<std::optional<Bytes>> FrameReader::next(ByteView& in) {
  ASSIGN_OR_RETURN(const std::optional<ByteView> message, next_view(in));
  if (!message) return std::nullopt;
  if (std::exchange(lent_, false)) return std::exchange(body_, {});
  return to_bytes(*message);
}

}  // namespace kadmesh
