#include "gossip/backfill_wire.h"

#include <algorithm>
#include <array>

#include "backfill.pb.h"
#include "base/proto_scan.h"

namespace kadmesh {
namespace {

constexpr std::array<std::string_view, 8> kNames{"malformed",      "unknown_topic", "not_kept",
                                                 "unknown_cursor", "rate_limited",  "busy",
                                                 "unavailable",    "not_subscribed"};
constexpr std::size_t kMostFields = 16;  // of a question, of all unknown ones besides a page's
constexpr std::uint32_t kMessages = 4;
constexpr std::array<FieldShape, 1> kPageFields{{{kMessages, gossip::kMostPageMessages, nullptr}}};

std::string text(ByteView view) { return std::string(as_text(view)); }
Bytes bytes(const std::string& text) { return to_bytes(as_bytes(text)); }
std::size_t bounded(std::uint64_t number, std::size_t most) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(number, most));
}

template <class Message>
Result<Message> parsed(ByteView in, const MessageShape& shape, const ScanLimits& limits) {
  RETURN_IF_ERROR(scan_message(in, shape, limits));
  Message message;
  if (!message.ParseFromArray(in.data(), static_cast<int>(in.size())))
    return fail(Errc::malformed, "backfill: no such message");
  return message;
}

std::string serialized(const auto& message) { return message.SerializeAsString(); }

BackfillPage page_of(const pb::BackfillAnswer& in) {
  BackfillPage page{{}, bytes(in.next()), in.more(), in.gap()};
  page.messages.reserve(static_cast<std::size_t>(in.messages_size()));
  for (const std::string& message : in.messages()) page.messages.push_back(bytes(message));
  return page;
}

Result<BackfillAnswer> refused(const pb::BackfillAnswer& in) {
  if (in.refusal() == 0 || in.refusal() > kNames.size())
    return fail(Errc::protocol, "backfill: refused for a cause that is none");
  const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(
      std::min<std::uint64_t>(in.wait_ms(), std::chrono::milliseconds(1h).count())));
  return BackfillRefused{static_cast<BackfillRefusal>(in.refusal()),
                         in.why().substr(0, gossip::kMostWhy), wait};
}

void put(pb::BackfillAnswer& out, const BackfillPage& page) {
  for (const Bytes& message : page.messages) out.add_messages(text(message));
  if (!page.next.empty()) out.set_next(text(page.next));
  if (page.more) out.set_more(true);
  if (page.gap) out.set_gap(true);
}

void put(pb::BackfillAnswer& out, const BackfillRefused& refused) {
  out.set_refusal(static_cast<std::uint64_t>(refused.cause));
  out.set_why(refused.why.substr(0, gossip::kMostWhy));
  if (refused.wait > 0s)
    out.set_wait_ms(static_cast<std::uint64_t>(
        std::chrono::ceil<std::chrono::milliseconds>(refused.wait).count()));
}

}  // namespace

std::string_view name(BackfillRefusal refusal) {
  return kNames.at(static_cast<std::size_t>(refusal) - 1);
}

namespace gossip {

Bytes encode_question(const BackfillQuestion& question) {
  pb::BackfillQuestion out;
  out.set_topic(question.topic);
  if (!question.after.empty()) out.set_after(text(question.after));
  out.set_most_messages(question.most_messages);
  out.set_most_bytes(question.most_bytes);
  return bytes(serialized(out));
}

Result<BackfillQuestion> decode_question(ByteView in) {
  ASSIGN_OR_RETURN(const auto asked,
                   parsed<pb::BackfillQuestion>(in, MessageShape{}, {kMostQuestion, kMostFields}));
  if (asked.topic().empty() || asked.topic().size() > kMostTopicName)
    return fail(Errc::malformed, "backfill: a topic that is none");
  if (asked.after().size() > kMostCursor) return fail(Errc::limit, "backfill: a cursor too long");
  BackfillQuestion question{asked.topic(), bytes(asked.after())};
  if (asked.has_most_messages())
    question.most_messages = bounded(asked.most_messages(), kMostPageMessages);
  if (asked.has_most_bytes()) question.most_bytes = bounded(asked.most_bytes(), kMostPageBytes);
  return question;
}

Bytes encode_answer(const BackfillAnswer& answer) {
  pb::BackfillAnswer out;
  std::visit([&](const auto& is) { put(out, is); }, answer);
  return bytes(serialized(out));
}

Result<BackfillAnswer> decode_answer(ByteView in) {
  ASSIGN_OR_RETURN(const auto answer,
                   parsed<pb::BackfillAnswer>(in, MessageShape{kPageFields},
                                              {kMostAnswer, kMostPageMessages + kMostFields}));
  if (answer.has_refusal()) return refused(answer);
  if (answer.next().size() > kMostCursor) return fail(Errc::limit, "backfill: a cursor too long");
  return page_of(answer);
}

}  // namespace gossip
}  // namespace kadmesh
