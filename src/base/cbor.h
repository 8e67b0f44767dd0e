// DAG-CBOR maps, as signed records hold them (ipld.io, "Specification: DAG-CBOR"; RFC 8949).
//
// A document is one map with nothing behind it. Lengths are definite and, as integers, written in
// their shortest form; keys are text and unique; the one tag is 42, on bytes that begin with 0;
// floats are finite. Three things are read that the specification does not write, because go's
// decoder takes them and a signature holds over any of them: keys in another order, floats of 2 and
// 4 bytes, and `undefined`. Not looked at: whether text is UTF-8, and what is in a link.
//
// Values are views into the bytes that were read. Reading n bytes takes O(n log n) time and O(n)
// memory, about a hundred bytes for each at worst: whoever reads bounds n.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace kadmesh {

// Maps and lists within one another, the document itself being the first. go stops at 1024; what
// people write is flat, and each level here is a frame of our stack.
inline constexpr unsigned kMostCborDepth = 32;

enum class CborKind { integer, bytes, text, list, map, link, boolean, null, floating };

struct CborValue {
  CborKind kind;
  std::optional<std::int64_t> integer;  // also empty for an integer beyond 64 bits with a sign
  ByteView content;                     // of bytes and text, and the bytes under a link
  ByteView whole;                       // its encoding; a map's can be read again
};

// The order of keys on the wire: the shorter first, then by bytes.
struct CborKeyOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

class CborMap {
 public:
  using Entry = std::pair<std::string_view, CborValue>;

  // Errc::limit for what is too deep, Errc::malformed for anything else.
  static Result<CborMap> read(ByteView document);

  // Null: no such key.
  const CborValue* find(std::string_view key) const;
  // In CborKeyOrder, whatever the order in which they came.
  std::span<const Entry> entries() const { return entries_; }

 private:
  explicit CborMap(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  std::vector<Entry> entries_;
};

// Puts entries into their order, whatever the order in which they come. The last of a key counts.
class CborMapWriter {
 public:
  void integer(std::string_view key, std::int64_t value);
  void bytes(std::string_view key, ByteView value);
  Bytes document() const;

 private:
  std::map<std::string, Bytes, CborKeyOrder> entries_;  // encoded values
};

}  // namespace kadmesh
