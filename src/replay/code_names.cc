#include "replay/code_names.h"

#include <algorithm>

#include "kad/policies.h"
#include "store/ipns.h"

namespace kadmesh::replay {
namespace {

using MessageIdPointer = MessageId (*)(const MessageView&);
constexpr MessageIdPointer kMessageIds[] = {go_message_id, rust_message_id, js_message_id,
                                            sha256_message_id};

}  // namespace

std::uint64_t code_of(const MessageIdFunction& function) {
  const auto* pointer = function.target<MessageIdPointer>();
  for (std::uint64_t i = 0; pointer && i < std::size(kMessageIds); ++i)
    if (kMessageIds[i] == *pointer) return i + 1;
  return 0;
}

MessageIdFunction message_id_function(std::uint64_t code) {
  if (code == 0 || code > std::size(kMessageIds)) return nullptr;
  return kMessageIds[code - 1];
}

std::uint64_t code_of(const Validator& validator) {
  if (dynamic_cast<const PublicKeyValidator*>(&validator)) return 1;
  if (dynamic_cast<const PassThroughValidator*>(&validator)) return 2;
  if (dynamic_cast<const IpnsValidator*>(&validator)) return 3;
  return 0;
}

std::shared_ptr<const Validator> validator(std::uint64_t code) {
  if (code == 1) return std::make_shared<PublicKeyValidator>();
  if (code == 2) return std::make_shared<PassThroughValidator>();
  if (code == 3) return std::make_shared<IpnsValidator>();
  return nullptr;
}

namespace {

bool has_names(const KadPolicies& policies) {
  const auto& [metric, termination, ordering, eviction, replacement] = policies;
  return !name_of(metric).empty() && !name_of(termination).empty() && !name_of(ordering).empty() &&
         !name_of(eviction).empty() && !name_of(replacement).empty();
}

}  // namespace

Result<void> recordable(const NodeConfig& config) {
  const auto& own_ids = config.gossip.message_ids;
  const auto unnamed = [](const auto& entry) { return code_of(entry.second) == 0; };
  if (code_of(config.gossip.message_id) == 0 || std::ranges::any_of(own_ids, unnamed))
    return fail(Errc::unsupported, "a capture cannot hold a message id function of one's own");
  if (config.gossip.validator || config.gossip.topic_filter)
    return fail(Errc::unsupported, "a capture cannot hold a validator or a filter of messages");
  for (const auto& [space, validator] : config.kad.validators.all())
    if (code_of(*validator) == 0)
      return fail(Errc::unsupported,
                  "a capture cannot hold the validator of /" + space + ", which is not kadmesh's");
  if (!has_names(config.kad.policies))
    return fail(Errc::unsupported, "a capture cannot hold a policy of Kademlia of one's own");
  return {};
}

}  // namespace kadmesh::replay
