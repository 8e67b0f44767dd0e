// What an opener of messages makes of bytes, however they are cut.
#pragma once

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "transport/sealed_messages.h"

namespace kadmesh {

struct Opened {
  Bytes plain;
  std::optional<Errc> error;
  friend bool operator==(const Opened&, const Opened&) = default;
};

// Takes what `piece` completes; false when the session has died of it.
template <class Opener>
bool open_piece(Opener& opener, ByteView piece, Opened& opened) {
  while (true) {
    const auto message = opener.next(piece);
    if (!message) return opened.error = message.error().code, false;
    if (!*message) break;
    KAD_CHECK(!(*message)->empty());
    append(opened.plain, **message);
  }
  KAD_CHECK(piece.empty());
  KAD_CHECK(opener.buffered() <= kNoisePrefixSize + kMostNoiseBody);
  return true;
}

template <class Opener>
Opened open_in_pieces(Opener opener, ByteView wire, std::size_t step) {
  Opened opened;
  while (!wire.empty() && open_piece(opener, wire.first(std::min(step, wire.size())), opened))
    wire = wire.subspan(std::min(step, wire.size()));
  if (opened.error) KAD_CHECK(opener.buffered() == 0);
  return opened;
}

}  // namespace kadmesh
