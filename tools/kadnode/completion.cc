#include "kadnode/completion.h"

#include <algorithm>

namespace kadmesh::kadnode {

Completion complete(std::string_view typed, const Words& candidates) {
  Completion found;
  for (const std::string& candidate : candidates) {
    if (!candidate.starts_with(typed)) continue;
    if (found.candidates.empty()) found.common = candidate;
    const auto differ = std::ranges::mismatch(found.common, candidate).in1;
    found.common.erase(differ, found.common.end());
    found.candidates.push_back(candidate);
  }
  return found;
}

}  // namespace kadmesh::kadnode
