#include "transport/stream_event.h"

#include "base/check.h"

namespace kadmesh {

std::optional<StreamKey> stream_of(const SwarmEvent& event) {
  return std::visit(
      [](const auto& about) -> std::optional<StreamKey> {
        if constexpr (requires { StreamKey{about.key}; })
          return about.key;
        else
          return std::nullopt;
      },
      event);
}

bool ends_stream(const SwarmEvent& event) {
  return std::holds_alternative<OpenFailed>(event) || std::holds_alternative<StreamReset>(event);
}

const Error& cause_of(const SwarmEvent& event) {
  if (const auto* failed = std::get_if<OpenFailed>(&event)) return failed->cause;
  const auto* reset = std::get_if<StreamReset>(&event);
  KAD_CHECK(reset != nullptr);
  return reset->cause;
}

}  // namespace kadmesh
