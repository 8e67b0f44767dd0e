// KAD_CHECK states what our own code guarantees. A failed one is our bug: it prints and aborts, in
// every build. Bytes of a peer must never be able to reach one.
#pragma once

namespace kadmesh {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace kadmesh

#define KAD_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::kadmesh::check_failed(#condition, __FILE__, __LINE__))
