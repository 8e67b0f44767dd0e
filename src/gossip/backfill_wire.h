// Backfill's bytes: one question and one answer (proto/backfill.proto).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "gossip/gossip.h"
#include "gossip/params.h"

namespace kadmesh {

// --- what one question and one page may hold
namespace gossip {
inline constexpr std::size_t kMostCursor = 64;         // bytes; ours have 16
inline constexpr std::size_t kMostPageMessages = 500;  // verified in one turn: 25 ms
// Of messages. One message may be larger, and is then a page of its own.
inline constexpr std::size_t kMostPageBytes = 256 * 1024;
inline constexpr std::size_t kMostWhy = 200;        // bytes of a refusal's text
inline constexpr std::size_t kMostQuestion = 1024;  // framed bytes: a topic, a cursor, two numbers
// Framed bytes: a page, or one message of any size, and what stands around them.
inline constexpr std::size_t kMostAnswer = kMostRpc + 8 * 1024;
}  // namespace gossip

struct BackfillQuestion {
  Topic topic;
  Bytes after{};  // a cursor of the teller's; empty: from the beginning
  std::size_t most_messages = gossip::kMostPageMessages;
  std::size_t most_bytes = gossip::kMostPageBytes;
};

struct BackfillPage {
  std::vector<Bytes> messages{};  // as their authors signed them, in the teller's order
  Bytes next{};                   // behind the last of them
  bool more = false;
  bool gap = false;  // what came behind `after` is no longer kept in full
};

// The numbers are the protocol's.
enum class BackfillRefusal : std::uint64_t {
  malformed = 1,   // the question
  unknown_topic,   // the teller does not subscribe to it
  not_kept,        // nor does it keep it for others
  unknown_cursor,  // none of this teller's log, which may have begun anew
  rate_limited,    // too much for this peer; ask again after `wait`
  busy,            // too many ask at once; the same
  unavailable,     // the teller's application says no, or nothing
  not_subscribed,  // the asker, as far as the teller has heard; ask again after `wait`
};
std::string_view name(BackfillRefusal refusal);

struct BackfillRefused {
  BackfillRefusal cause;
  std::string why;
  Duration wait{};
};

using BackfillAnswer = std::variant<BackfillPage, BackfillRefused>;

namespace gossip {
Bytes encode_question(const BackfillQuestion& question);
// Errc::malformed, Errc::limit.
Result<BackfillQuestion> decode_question(ByteView bytes);
Bytes encode_answer(const BackfillAnswer& answer);
// Errc::malformed; Errc::limit for more messages than any page holds; Errc::protocol for a refusal
// that is none of the above.
Result<BackfillAnswer> decode_answer(ByteView bytes);
}  // namespace gossip

}  // namespace kadmesh
