// How two ends agree on a protocol: multistream-select 1.0 (libp2p specs, connections/README.md,
// "Protocol Negotiation"). It runs on a fresh connection (for /noise), inside Noise where the muxer
// was not agreed early, and on every stream.
//
//   token     uv(length) text '\n'; the length counts the newline and is at most kMostToken
//   dialer    /multistream/1.0.0 and a proposal go out together; after `na` the next proposal
//   listener  its header once it has seen the dialer's, then an echo (agreed) or `na` per proposal
//
// Both sides read exactly the bytes that belong to the negotiation. What follows them in the same
// buffer is the next layer's: stacks send header, proposal and first request in one segment, and
// header, echo and first answer likewise.
//
// Lazy form: a dialer with a single proposal may be followed by application bytes at once, in the
// same write as take_output(), when the caller has reason to believe that the protocol is served.
// A refusal then comes late, as Errc::unsupported, and the stream must be reset.
//
// Nothing here has a clock: whoever owns the pipe owns the deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/framing.h"

namespace kadmesh {

// What go and js accept; longer names could not be negotiated with them.
inline constexpr std::size_t kMostToken = 1024;
// Proposals of one dialer that a listener reads. Fallback lists in the field have up to 10 names.
inline constexpr unsigned kMostTries = 64;
// An `ls` reply has a length of two varint bytes, which is all that rust and js read.
inline constexpr std::size_t kMostListReply = 16383;

// Begins with '/' (rust ends the negotiation otherwise), has no newline and fits a token.
bool is_protocol_name(std::string_view name);

//   header --/multistream/1.0.0--> answer --echo--> agreed
//                                   |  ^
//                                   +--+ na, and a proposal is left
//   Anything else: failed, for good.
class MultistreamDialer {
 public:
  // In order of preference; at least one, each is_protocol_name().
  explicit MultistreamDialer(std::vector<std::string> proposals);

  // How many bytes at the front of `in` were ours; fewer than all only once agreed. Afterwards 0.
  // Errc::unsupported: the listener serves none of the proposals. Errc::protocol,
  // Errc::malformed, Errc::limit: it does not speak multistream.
  Result<std::size_t> on_bytes(ByteView in);
  // Null while undecided.
  const std::string* agreed() const;
  // What must be sent, in order; empty when there is nothing.
  Bytes take_output();

 private:
  enum class State : std::uint8_t { header, answer, agreed, failed };
  Result<void> on_token(std::string_view token);
  Result<void> on_answer(std::string_view answer);
  Result<void> propose_next();

  State state_ = State::header;
  std::vector<std::string> proposals_;
  std::size_t current_ = 0;  // of proposals_; the one whose answer is awaited, or the agreed one
  FrameReader reader_{kMostToken};
  Bytes output_;
};

//   header --/multistream/1.0.0--> proposal --a served name--> agreed
//                                   |    ^
//                                   +----+ any other: na. `ls`: the list, once
//   A second header, try kMostTries + 1, or bytes that are no token: failed, for good.
//
// The obsolete simultaneous-open tokens are names like any other that nobody serves.
class MultistreamListener {
 public:
  // As the dialer's. `served` is asked for names and may change between calls.
  // Errc::limit: kMostTries proposals and none was served.
  Result<std::size_t> on_bytes(ByteView in, std::span<const std::string> served);
  const std::string* agreed() const;
  Bytes take_output();

 private:
  enum class State : std::uint8_t { header, proposal, agreed, failed };
  Result<void> on_token(std::string_view token, std::span<const std::string> served);
  Result<void> on_proposal(std::string_view proposal, std::span<const std::string> served);
  void answer(std::string_view proposal, std::span<const std::string> served);

  State state_ = State::header;
  unsigned tries_ = 0;
  bool listed_ = false;  // `ls` was answered: the reply is large, so a second one gets `na`
  std::string agreed_;
  FrameReader reader_{kMostToken};
  Bytes output_;
};

}  // namespace kadmesh
