#include "base/result.h"

namespace kadmesh {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::closed:
      return "closed";
    case Errc::reset:
      return "reset";
    case Errc::timeout:
      return "timeout";
    case Errc::cancelled:
      return "cancelled";
    case Errc::refused:
      return "refused";
    case Errc::malformed:
      return "malformed";
    case Errc::protocol:
      return "protocol";
    case Errc::auth:
      return "auth";
    case Errc::limit:
      return "limit";
    case Errc::unsupported:
      return "unsupported";
    case Errc::not_found:
      return "not_found";
    case Errc::no_peers:
      return "no_peers";
    case Errc::invalid:
      return "invalid";
    case Errc::unreachable:
      return "unreachable";
    case Errc::io:
      return "io";
  }
  return "unknown";
}

std::string to_string(const Error& error) {
  std::string text(name(error.code));
  if (!error.detail.empty()) text += ": " + error.detail;
  return text;
}

}  // namespace kadmesh
