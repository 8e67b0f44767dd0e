#include "base/cbor.h"

#include <algorithm>
#include <array>
#include <limits>

namespace kadmesh {
namespace {

// --- heads: three bits of major type, five of what follows ---------------------------------------

enum class Major : std::uint8_t { unsigned_integer, negative, bytes, text, list, map, tag, simple };

constexpr unsigned kInfoBits = 5;
constexpr std::uint8_t kInfoMask = (1U << kInfoBits) - 1;
// Below it the info is the argument itself; from it on, 1, 2, 4 or 8 bytes of argument follow.
constexpr std::uint8_t kFirstLong = 24;
// The least argument that needs 1, 2, 4 and 8 bytes.
constexpr std::array<std::uint64_t, 4> kLeastLong{kFirstLong, 0x100, 0x10000, 0x1'0000'0000};
constexpr std::uint64_t kLinkTag = 42;

// Of the major type `simple`.
enum : std::uint8_t {
  kFalse = 20,
  kTrue = 21,
  kNull = 22,
  kUndefined = 23,
  kFloat16 = 25,
  kFloat32 = 26,
  kFloat64 = 27
};

struct Head {
  Major major;
  std::uint8_t info;
  std::uint64_t argument;
};

std::unexpected<Error> malformed(std::string what) {
  return fail(Errc::malformed, "cbor: " + std::move(what));
}

// --- reading -------------------------------------------------------------------------------------

using Entry = CborMap::Entry;

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  // A map or list that the value is lies `depth` levels down.
  Result<CborValue> value(unsigned depth);
  Result<std::vector<Entry>> document();

 private:
  Result<Head> head();
  Result<ByteView> take(std::uint64_t count);
  Result<CborValue> contents(const Head& head, unsigned depth);
  Result<CborValue> stretch(CborKind kind, std::uint64_t length);
  Result<CborValue> list(std::uint64_t count, unsigned depth);
  Result<CborValue> map(std::uint64_t count, unsigned depth);
  Result<CborValue> link(std::uint64_t tag);
  Result<std::vector<Entry>> entries(std::uint64_t count, unsigned depth);
  Result<std::string_view> key();

  ByteView rest_;
};

Result<ByteView> Reader::take(std::uint64_t count) {
  if (count > rest_.size()) return malformed("ends too early");
  const ByteView taken = rest_.first(static_cast<std::size_t>(count));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

Result<Head> Reader::head() {
  ASSIGN_OR_RETURN(const ByteView first, take(1));
  const auto major = static_cast<Major>(first[0] >> kInfoBits);
  const auto info = static_cast<std::uint8_t>(first[0] & kInfoMask);
  if (info < kFirstLong) return Head{major, info, info};
  const auto width = static_cast<std::size_t>(info - kFirstLong);
  if (width >= kLeastLong.size()) return malformed("a length that is not definite");
  ASSIGN_OR_RETURN(const ByteView more, take(std::uint64_t{1} << width));
  const Head head{major, info, big_endian(more)};
  // A float's bits are no number.
  if (major != Major::simple && head.argument < kLeastLong.at(width))
    return malformed("a number that is not in its shortest form");
  return head;
}

CborValue of_kind(CborKind kind) { return {kind, std::nullopt, {}, {}}; }

constexpr auto kMostInteger = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// Negative ones are written as what is beyond -1.
CborValue integer(const Head& head) {
  CborValue value = of_kind(CborKind::integer);
  if (head.argument > kMostInteger) return value;
  const auto number = static_cast<std::int64_t>(head.argument);
  value.integer = head.major == Major::negative ? -1 - number : number;
  return value;
}

// Infinities and NaNs have all bits of the exponent set.
Result<CborValue> floating(std::uint64_t bits, std::uint64_t exponent) {
  if ((bits & exponent) == exponent) return malformed("a float that is not finite");
  return of_kind(CborKind::floating);
}

Result<CborValue> simple(const Head& head) {
  switch (head.info) {
    case kFalse:
    case kTrue:
      return of_kind(CborKind::boolean);
    case kNull:
    case kUndefined:
      return of_kind(CborKind::null);
    case kFloat16:
      return floating(head.argument, 0x7C00);
    case kFloat32:
      return floating(head.argument, 0x7F80'0000);
    case kFloat64:
      return floating(head.argument, 0x7FF0'0000'0000'0000);
    default:
      return malformed("a simple value that has no meaning");
  }
}

Result<CborValue> Reader::value(unsigned depth) {
  const ByteView before = rest_;
  ASSIGN_OR_RETURN(const Head begin, head());
  ASSIGN_OR_RETURN(CborValue value, contents(begin, depth));
  value.whole = before.first(before.size() - rest_.size());
  return value;
}

Result<CborValue> Reader::contents(const Head& head, unsigned depth) {
  switch (head.major) {
    case Major::unsigned_integer:
    case Major::negative:
      return integer(head);
    case Major::bytes:
      return stretch(CborKind::bytes, head.argument);
    case Major::text:
      return stretch(CborKind::text, head.argument);
    case Major::list:
      return list(head.argument, depth);
    case Major::map:
      return map(head.argument, depth);
    case Major::tag:
      return link(head.argument);
    case Major::simple:
      return simple(head);
  }
  return malformed("no such type");
}

Result<CborValue> Reader::stretch(CborKind kind, std::uint64_t length) {
  CborValue value = of_kind(kind);
  ASSIGN_OR_RETURN(value.content, take(length));
  return value;
}

Result<void> check_depth(unsigned depth) {
  if (depth <= kMostCborDepth) return {};
  return fail(Errc::limit,
              "cbor: more than " + std::to_string(kMostCborDepth) + " levels of maps and lists");
}

// Whatever count is claimed, each item takes a byte: the loop ends with the bytes.
Result<CborValue> Reader::list(std::uint64_t count, unsigned depth) {
  RETURN_IF_ERROR(check_depth(depth));
  for (; count > 0; --count) RETURN_IF_ERROR(value(depth + 1));
  return of_kind(CborKind::list);
}

Result<CborValue> Reader::map(std::uint64_t count, unsigned depth) {
  RETURN_IF_ERROR(entries(count, depth));
  return of_kind(CborKind::map);
}

Result<CborValue> Reader::link(std::uint64_t tag) {
  if (tag != kLinkTag) return malformed("tag " + std::to_string(tag));
  ASSIGN_OR_RETURN(const Head under, head());
  if (under.major != Major::bytes) return malformed("a link that is not bytes");
  ASSIGN_OR_RETURN(const CborValue value, stretch(CborKind::link, under.argument));
  if (value.content.empty() || value.content.front() != 0)
    return malformed("a link that does not begin with 0");
  return value;
}

Result<std::string_view> Reader::key() {
  ASSIGN_OR_RETURN(const Head begin, head());
  if (begin.major != Major::text) return malformed("a key that is not text");
  ASSIGN_OR_RETURN(const ByteView text, take(begin.argument));
  return as_text(text);
}

Result<std::vector<Entry>> Reader::entries(std::uint64_t count, unsigned depth) {
  RETURN_IF_ERROR(check_depth(depth));
  std::vector<Entry> found;
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(const std::string_view name, key());
    ASSIGN_OR_RETURN(const CborValue under, value(depth + 1));
    found.emplace_back(name, under);
  }
  std::ranges::sort(found, CborKeyOrder(), &Entry::first);
  if (std::ranges::adjacent_find(found, {}, &Entry::first) != found.end())
    return malformed("a key twice");
  return found;
}

Result<std::vector<Entry>> Reader::document() {
  ASSIGN_OR_RETURN(const Head begin, head());
  if (begin.major != Major::map) return malformed("not a map");
  ASSIGN_OR_RETURN(auto found, entries(begin.argument, 1));
  if (!rest_.empty()) return malformed("bytes behind the map");
  return found;
}

// --- writing -------------------------------------------------------------------------------------

void put_head(Bytes& out, Major major, std::uint64_t argument) {
  const auto begin = static_cast<unsigned>(major) << kInfoBits;
  const auto width =
      static_cast<std::size_t>(std::ranges::upper_bound(kLeastLong, argument) - kLeastLong.begin());
  if (width == 0) return out.push_back(static_cast<std::uint8_t>(begin | argument));
  out.push_back(static_cast<std::uint8_t>(begin | (kFirstLong + width - 1)));
  for (unsigned shift = 8U << (width - 1); shift > 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(argument >> (shift - 8)));
}

}  // namespace

Result<CborMap> CborMap::read(ByteView document) {
  ASSIGN_OR_RETURN(auto entries, Reader(document).document());
  return CborMap(std::move(entries));
}

const CborValue* CborMap::find(std::string_view key) const {
  const auto at = std::ranges::lower_bound(entries_, key, CborKeyOrder(), &Entry::first);
  return at != entries_.end() && at->first == key ? &at->second : nullptr;
}

void CborMapWriter::integer(std::string_view key, std::int64_t value) {
  Bytes encoded;
  if (value < 0)
    put_head(encoded, Major::negative, static_cast<std::uint64_t>(-1 - value));
  else
    put_head(encoded, Major::unsigned_integer, static_cast<std::uint64_t>(value));
  entries_.insert_or_assign(std::string(key), std::move(encoded));
}

void CborMapWriter::bytes(std::string_view key, ByteView value) {
  Bytes encoded;
  put_head(encoded, Major::bytes, value.size());
  append(encoded, value);
  entries_.insert_or_assign(std::string(key), std::move(encoded));
}

Bytes CborMapWriter::document() const {
  Bytes out;
  put_head(out, Major::map, entries_.size());
  for (const auto& [key, value] : entries_) {
    put_head(out, Major::text, key.size());
    append(out, as_bytes(key));
    append(out, value);
  }
  return out;
}

}  // namespace kadmesh
