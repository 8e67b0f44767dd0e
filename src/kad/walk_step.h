// What happens in an operation, step by step, for whoever draws its path or wants to know what
// takes so long: told of operations that were asked for with WalkOptions::trace.
//
//   heard       an answer named a peer that nobody had named before
//   asked       a request went out to it; without a `heard` before, it was known here
//   stalled     silent for so long that the walk goes on around it; it may still answer
//   answered    )
//   failed      ) what came of it: one of them for each `asked`, once
//   withdrawn   )
//   converged   the walk has found who is closest; what is asked from here on delivers to them
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/peer_id.h"
#include "base/result.h"
#include "base/time.h"

namespace kadmesh {

struct WalkStep {
  enum class What : std::uint8_t { heard, asked, stalled, answered, failed, withdrawn, converged };

  What what{};
  Time when{};
  std::optional<PeerId> peer{};  // of all but `converged`
  unsigned shared = 0;           // leading bits that its id has in common with the target
  std::optional<PeerId> from{};  // heard: whose answer named it
  std::string_view question{};   // asked: "FIND_NODE" and so on
  std::optional<Error> cause{};  // failed
};
std::string_view name(WalkStep::What what);

// How one operation is to be carried out, beside what it is about.
struct WalkOptions {
  bool trace = false;  // its steps are told of as they happen
  // A get ends once so many hold the best value, this node among them, and nobody a better one; 0:
  // it asks all of the closest, as it does where fewer hold it. (rust: Quorum; go: Quorum())
  std::size_t quorum = 0;
};

}  // namespace kadmesh
