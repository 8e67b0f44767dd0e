// Covers: src/base/cbor.cc
#include "base/cbor.h"
#include "base/check.h"

using namespace kadmesh;

namespace {

void check_entry(const CborMap::Entry& entry, ByteView document) {
  const auto& [key, value] = entry;
  KAD_CHECK(value.whole.data() >= document.data() && !value.whole.empty());
  KAD_CHECK(value.whole.data() + value.whole.size() <= document.data() + document.size());
  KAD_CHECK(value.content.size() < value.whole.size());
  KAD_CHECK(!value.integer || value.kind == CborKind::integer);
  if (value.kind == CborKind::map) KAD_CHECK(CborMap::read(value.whole).has_value());
}

// What the writer can write comes back as it was, and is written the same way again.
void check_written(const CborMap& map) {
  CborMapWriter writer;
  for (const auto& [key, value] : map.entries()) {
    if (value.integer) writer.integer(key, *value.integer);
    if (value.kind == CborKind::bytes) writer.bytes(key, value.content);
  }
  const Bytes document = writer.document();
  const auto again = CborMap::read(document);
  KAD_CHECK(again.has_value());
  for (const auto& [key, value] : again->entries()) {
    const CborValue* first = map.find(key);
    KAD_CHECK(first != nullptr && first->integer == value.integer);
    KAD_CHECK(equal(first->content, value.content) && equal(first->whole, value.whole));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView document(data, size);
  const auto map = CborMap::read(document);
  if (!map) return 0;
  for (const CborMap::Entry& entry : map->entries()) {
    KAD_CHECK(map->find(entry.first) == &entry.second);
    check_entry(entry, document);
  }
  check_written(*map);
  KAD_CHECK(!CborMap::read(document.first(size - 1)));
  Bytes longer = to_bytes(document);
  longer.push_back(0);
  KAD_CHECK(!CborMap::read(longer));
  return 0;
}
