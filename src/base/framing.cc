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

Result<void> FrameReader::read_prefix(ByteView& in) {
  const std::size_t held = prefix_.size();
  append(prefix_, in.first(std::min(in.size(), kMaxVarintSize - held)));
  ASSIGN_OR_RETURN(const std::optional<Varint> length, get_varint(prefix_));
  take(in, (length ? length->size : prefix_.size()) - held);
  if (!length) return {};
  if (length->value > most_) {
    return fail(Errc::limit, "message of " + std::to_string(length->value) + " bytes, at most " +
                                 std::to_string(most_) + " are taken");
  }
  length_ = length->value;
  prefix_.clear();
  return {};
}

Result<std::optional<Bytes>> FrameReader::next(ByteView& in) {
  if (!length_) RETURN_IF_ERROR(read_prefix(in));
  if (!length_) return std::nullopt;
  append(body_, take(in, std::min(in.size(), *length_ - body_.size())));
  if (body_.size() < *length_) return std::nullopt;
  length_.reset();
  return std::exchange(body_, {});
}

}  // namespace kadmesh
