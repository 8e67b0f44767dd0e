// How anything in kadmesh fails. A Result is a value or an Error; no exception passes through a
// core.
//
//   our bug           CHECK (base/check.h): abort, in release too
//   the peer's fault  an Error that closes the smallest thing: request < stream < connection
//   the world         an Error to whoever asked
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kadmesh {

enum class Errc {
  closed,       // the other side, or we, ended it in order
  reset,        // ended abruptly
  timeout,      // its deadline came
  cancelled,    // we withdrew it
  refused,      // the other side said no
  malformed,    // bytes that break the encoding
  protocol,     // well-formed bytes that the protocol does not allow here
  auth,         // a signature, key or peer id that does not prove what it must
  limit,        // a named bound was reached
  unsupported,  // no protocol, key type or address in common
  not_found,    // looked for, and not there
  no_peers,     // nobody to ask
  invalid,      // an argument of the caller that cannot be used
  unreachable,  // no way to connect to the peer
  io,           // disk, socket or resolver
};

// The name as it stands in the enum; stable, for machines: "timeout", "not_found".
std::string_view name(Errc code);

struct Error {
  Errc code{};
  std::string detail;  // for people: what failed, on which side, what to do

  // Errors are told apart by code; the detail is for reading.
  friend bool operator==(const Error& a, const Error& b) { return a.code == b.code; }
};

// "timeout: no reply to FIND_NODE within 10 s"
std::string to_string(const Error& error);

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string detail = {}) {
  return std::unexpected(Error{code, std::move(detail)});
}

}  // namespace kadmesh

// Leave the function with the error of a Result, or go on. libstdc++ 12 has no and_then.
#define KADMESH_CONCAT_(a, b) a##b
#define KADMESH_CONCAT(a, b) KADMESH_CONCAT_(a, b)
#define RETURN_IF_ERROR(expression)                        \
  do {                                                     \
    if (auto status_ = (expression); !status_.has_value()) \
      return std::unexpected(std::move(status_).error());  \
  } while (false)
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_(KADMESH_CONCAT(result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_(result, declaration, expression)                    \
  auto result = (expression);                                                 \
  if (!result.has_value()) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
