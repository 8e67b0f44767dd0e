// The code that a configuration holds, by number: the validators and message ids that are ours.
#pragma once

#include <cstdint>
#include <memory>

#include "node/node.h"

namespace kadmesh::replay {

// 0: not one of ours.
std::uint64_t code_of(const MessageIdFunction& function);
std::uint64_t code_of(const Validator& validator);
// Empty, null: no such number.
MessageIdFunction message_id_function(std::uint64_t code);
std::shared_ptr<const Validator> validator(std::uint64_t code);

// Errc::unsupported when a replay could not build this node again.
Result<void> recordable(const NodeConfig& config);

}  // namespace kadmesh::replay
