#include "driver/http_request.h"

#include <algorithm>

#include "base/ip_text.h"

namespace kadmesh {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Cuts off what stands before the first `end`, or all.
std::string_view take(std::string_view& text, std::string_view end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), taken.size() + end.size()));
  return taken;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 9110, "Tokens", in short: what cannot be a field's name is not mistaken for one.
bool is_token(std::string_view text) {
  const auto visible = [](char c) { return c > ' ' && c < '\x7f'; };
  return !text.empty() && std::ranges::all_of(text, visible);
}

// "HTTP/1.0" and on.
bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/1.") && text[7] >= '0' && text[7] <= '9';
}

Result<void> read_field(std::string_view line, HttpRequest& request) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name))
    return fail(Errc::malformed, "a header field has no name");
  if (!same_name(name, "host")) return {};
  if (request.host) return fail(Errc::malformed, "two Host header fields");
  request.host = trimmed(line.substr(colon + 1));
  return {};
}

bool is_port(std::string_view text) { return parse_decimal(text, 65535).has_value(); }

}  // namespace

Result<HttpRequest> read_http_request(std::string_view head) {
  std::string_view line = take(head, kLineEnd);
  HttpRequest request;
  request.method = take(line, " ");
  request.target = take(line, " ");
  if (!is_token(request.method) || !is_token(request.target) || !is_version(line))
    return fail(Errc::malformed, "no request line of HTTP/1");
  const bool may_lack_host = line == "HTTP/1.0";
  for (line = take(head, kLineEnd); !line.empty(); line = take(head, kLineEnd))
    RETURN_IF_ERROR(read_field(line, request));
  if (!request.host && !may_lack_host) return fail(Errc::malformed, "no Host header field");
  return request;
}

bool is_own_host(std::string_view host, std::span<const std::string> names) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || !parse_ip6(host.substr(1, end - 1))) return false;
    const std::string_view rest = host.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const bool has_port = host.find(':') != std::string_view::npos;
  const std::string_view name = take(host, ":");
  if (has_port && !is_port(host)) return false;
  const auto is_name = [&](std::string_view own) { return same_name(name, own); };
  return parse_ip4(name) || is_name("localhost") || std::ranges::any_of(names, is_name);
}

}  // namespace kadmesh
