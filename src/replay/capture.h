// The file that a recording leaves: everything that went into one node, and of everything that came
// out a digest. Format 1:
//
//   capture := banner frame*
//   banner  := a sentence for people, which says what the file holds, and the format's number
//   frame   := length: 4 bytes, little-endian · check: 8 bytes · record: `length` bytes
//   record  := kind: 1 byte · content (encode.h)
//   check   := the first 8 bytes of SHA-256(check of the frame before · length · record)
//   records := start signature* outputs? (input signature* outputs?)* end?
//
// A frame is whole or it is not there: whatever a crash leaves at the end is found by its length or
// its check, and all before it is good. As every check takes in the one before, a frame that was
// lost, moved or changed is found as well.
//
// An input is recorded before the node sees it, so a node that dies of one leaves it as the last.
// A redacted capture is taken above Noise (transport/plain_form.h): it holds no private key,
// nothing that keys were made of, and nothing that was encrypted by them. Instead of the identity's
// key it has the signatures that were made; what came is there as Noise opened it, and so is
// recorded behind the turn.
//
// Outputs are what was polled since the record before; they may be missing behind the last input.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "node/input.h"

namespace kadmesh {

// A frame of more is damage: the largest input is a store's answer to one scan.
inline constexpr std::size_t kMostCaptureRecord = std::size_t{64} * 1024 * 1024;

// --- records
struct CaptureStart {
  std::variant<KeyPair, PublicKey> identity;  // the public key alone: redacted
  Rng::Key luck;
  Now now;
  NodeConfig config;
};
struct CaptureInput {
  Now now;
  NodeInput input;
};
// One thing that came out of the node: the answer of the call, or an action.
struct CaptureOutput {
  std::uint8_t kind;   // replay/output.h
  std::uint64_t size;  // of its encoding
  std::array<std::uint8_t, 8> digest;
  friend bool operator==(const CaptureOutput&, const CaptureOutput&) = default;
};
struct CaptureOutputs {
  std::vector<CaptureOutput> outputs;
  bool drained;  // the last poll() had nothing more
};
// Made by the identity's key in the turn of the input before; of redacted captures.
struct CaptureSignature {
  Bytes signature;
};
struct CaptureEnd {
  enum class Why : std::uint8_t { closed, limit } why;
};
using CaptureRecord =
    std::variant<CaptureStart, CaptureInput, CaptureOutputs, CaptureEnd, CaptureSignature>;

// --- writing
class CaptureWriter {
 public:
  // What is to be written is appended to `out`; the start is the first record, once.
  void start(Bytes& out, const CaptureStart& record);
  void input(Bytes& out, const CaptureInput& record);
  void outputs(Bytes& out, const CaptureOutputs& record);
  void end(Bytes& out, const CaptureEnd& record);
  void signature(Bytes& out, const CaptureSignature& record);
  // A record as it stands.
  void frame(Bytes& out, ByteView record);

  // A bound on what end() appends.
  static constexpr std::size_t kMostEnd = 32;

 private:
  void time(Bytes& out, Now now);

  std::array<std::uint8_t, 8> check_{};
  Now last_{};
};

// --- reading
// How a capture ends, and where.
struct CaptureEnding {
  enum class Kind : std::uint8_t {
    closed,   // in order
    limit,    // at its size limit
    torn,     // in the middle of a frame, or behind one: a crash, or it is still being written
    damaged,  // in a frame that is not as it was written
  };
  Kind kind;
  std::size_t offset;  // of what is not part of a good frame, or the size
};
std::string_view name(CaptureEnding::Kind kind);

class CaptureReader {
 public:
  // Errc::malformed for what is no capture, Errc::unsupported for one of another format or of a
  // kadmesh whose inputs were others. `capture` outlives the reader and its records: inputs borrow.
  static Result<CaptureReader> open(ByteView capture);

  const CaptureStart& start() const { return start_; }
  // An input, outputs or a signature; none at the end.
  std::optional<CaptureRecord> next();
  // Once next() has returned none.
  const CaptureEnding& ending() const { return ending_.value(); }

 private:
  CaptureReader(ByteView capture, std::size_t offset, CaptureStart start);
  std::optional<ByteView> frame();
  std::optional<CaptureRecord> record(ByteView bytes);
  bool in_order(const CaptureRecord& record);
  std::nullopt_t end(CaptureEnding::Kind kind);

  ByteView capture_;
  std::size_t offset_;
  std::array<std::uint8_t, 8> check_{};
  Now last_{};
  bool turn_open_ = true;  // of the start or an input, whose outputs have not come
  CaptureStart start_;
  std::optional<CaptureEnding> ending_;
};

}  // namespace kadmesh
