#include "transport/multistream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::string_view kHeader = "/multistream/1.0.0";
constexpr std::string_view kNotAvailable = "na";
constexpr std::string_view kList = "ls";

void put_token(Bytes& out, std::string_view text) {
  put_frame(out, as_bytes(std::string(text) + '\n'));
}

// The text of a token. Views `frame`.
Result<std::string_view> text_of(ByteView frame) {
  const std::string_view text = as_text(frame);
  if (!text.ends_with('\n')) return fail(Errc::malformed, "multistream token without a newline");
  return text.substr(0, text.size() - 1);
}

Result<void> check_header(std::string_view token) {
  if (token == kHeader) return {};
  return fail(Errc::protocol, "the peer does not begin with " + std::string(kHeader));
}

// One frame holds all names, each a token of its own, and a last newline.
void put_list(Bytes& out, std::span<const std::string> names) {
  Bytes list;
  for (const std::string& name : names) {
    Bytes token;
    put_token(token, name);
    if (list.size() + token.size() + 1 > kMostListReply) break;
    append(list, token);
  }
  list.push_back('\n');
  put_frame(out, list);
}

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Feeds tokens to `on_token` until `finished` or `in` is used up; the bytes taken.
template <class OnToken, class Finished>
Result<std::size_t> read_tokens(FrameReader& reader, ByteView in, OnToken on_token,
                                Finished finished) {
  ByteView rest = in;
  while (!finished()) {
    ASSIGN_OR_RETURN(const std::optional<Bytes> frame, reader.next(rest));
    if (!frame) break;
    ASSIGN_OR_RETURN(const std::string_view token, text_of(*frame));
    RETURN_IF_ERROR(on_token(token));
  }
  return in.size() - rest.size();
}

}  // namespace

bool is_protocol_name(std::string_view name) {
  return name.starts_with('/') && name.size() < kMostToken && !name.contains('\n');
}

MultistreamDialer::MultistreamDialer(std::vector<std::string> proposals)
    : proposals_(std::move(proposals)) {
  KAD_CHECK(!proposals_.empty());
  KAD_CHECK(std::ranges::all_of(proposals_, is_protocol_name));
  put_token(output_, kHeader);
  put_token(output_, proposals_.front());
}

Result<std::size_t> MultistreamDialer::on_bytes(ByteView in) {
  if (state_ == State::failed) return fail(Errc::closed, "the negotiation has failed");
  auto taken = read_tokens(
      reader_, in, [this](std::string_view token) { return on_token(token); },
      [this] { return state_ == State::agreed; });
  if (!taken) state_ = State::failed;
  return taken;
}

const std::string* MultistreamDialer::agreed() const {
  return state_ == State::agreed ? &proposals_[current_] : nullptr;
}

Bytes MultistreamDialer::take_output() { return std::exchange(output_, {}); }

Result<void> MultistreamDialer::on_token(std::string_view token) {
  if (state_ == State::answer) return on_answer(token);
  RETURN_IF_ERROR(check_header(token));
  state_ = State::answer;
  return {};
}

Result<void> MultistreamDialer::on_answer(std::string_view answer) {
  if (answer == kNotAvailable) return propose_next();
  if (answer != proposals_[current_])
    return fail(Errc::protocol, "the answer to " + proposals_[current_] + " is no echo");
  state_ = State::agreed;
  return {};
}

Result<void> MultistreamDialer::propose_next() {
  if (current_ + 1 == proposals_.size())
    return fail(Errc::unsupported, "the peer serves none of " + joined(proposals_));
  ++current_;
  put_token(output_, proposals_[current_]);
  return {};
}

Result<std::size_t> MultistreamListener::on_bytes(ByteView in,
                                                  std::span<const std::string> served) {
  if (state_ == State::failed) return fail(Errc::closed, "the negotiation has failed");
  auto taken = read_tokens(
      reader_, in, [&](std::string_view token) { return on_token(token, served); },
      [this] { return state_ == State::agreed; });
  if (!taken) state_ = State::failed;
  return taken;
}

const std::string* MultistreamListener::agreed() const {
  return state_ == State::agreed ? &agreed_ : nullptr;
}

Bytes MultistreamListener::take_output() { return std::exchange(output_, {}); }

Result<void> MultistreamListener::on_token(std::string_view token,
                                           std::span<const std::string> served) {
  if (state_ == State::proposal) return on_proposal(token, served);
  RETURN_IF_ERROR(check_header(token));
  put_token(output_, kHeader);
  state_ = State::proposal;
  return {};
}

Result<void> MultistreamListener::on_proposal(std::string_view proposal,
                                              std::span<const std::string> served) {
  if (proposal == kHeader) return fail(Errc::protocol, "a second multistream header");
  if (tries_ == kMostTries)
    return fail(Errc::limit, std::to_string(kMostTries) + " proposals and none is served");
  ++tries_;
  answer(proposal, served);
  return {};
}

void MultistreamListener::answer(std::string_view proposal, std::span<const std::string> served) {
  if (proposal == kList && !std::exchange(listed_, true)) return put_list(output_, served);
  if (std::ranges::find(served, proposal) == served.end()) return put_token(output_, kNotAvailable);
  put_token(output_, proposal);
  agreed_ = proposal;
  state_ = State::agreed;
}

}  // namespace kadmesh
