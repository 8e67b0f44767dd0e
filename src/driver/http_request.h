// The head of an HTTP/1 request (RFC 9112), as much of it as one page for one reader needs.
//
// Whoever serves on loopback is asked by web pages too: a page whose name resolves to its own
// address first and to ours then may read what we answer, as far as the browser can tell from its
// own server (DNS rebinding). What the browser cannot hide is the name that it was led by: the Host
// field. A name that is not ours is therefore not answered, an address is: nobody can rebind that.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kadmesh {

struct HttpRequest {
  // Views of what was read.
  std::string_view method, target;
  std::optional<std::string_view> host;  // "name" or "name:port", as it was sent
};

// `head`: the request line and the fields, without the blank line or with it. Errc::malformed, and
// what is wrong in words for the one who asks: also several Host fields, or none from HTTP/1.1 on.
Result<HttpRequest> read_http_request(std::string_view head);

// Whether a Host field names an IP address, localhost, or one of `names`, on whatever port: those
// who come by a tunnel name another.
bool is_own_host(std::string_view host, std::span<const std::string> names);

}  // namespace kadmesh
