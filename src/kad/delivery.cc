#include "kad/delivery.h"

namespace kadmesh {

std::optional<AskPeer> Delivery::next() {
  if (asked_ == to_.size()) return std::nullopt;
  const Contact& contact = to_[asked_++];
  outstanding_.insert(contact.peer);
  return AskPeer{contact, message_, expects_reply_};
}

void Delivery::on_taken(const PeerId& peer) {
  if (outstanding_.erase(peer) > 0) ++taken_;
}

Time walk_deadline(Time started, Time deadline) { return started + (deadline - started) / 3 * 2; }

KadMessage put_message(const KadRecord& record) {
  return {
      KadType::put_value, record.key, KadRecord{record.key, record.value, {}, record.ttl}, {}, {}};
}

Result<void> check_echo(const KadMessage& answer, const KadRecord& record) {
  if (answer.record && answer.record->value == record.value) return {};
  return fail(Errc::protocol, "the answer to PUT_VALUE does not repeat the value");
}

}  // namespace kadmesh
