#include "transport/dial_job.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"

namespace kadmesh {
namespace {

bool holds_name(const Multiaddr& addr) {
  static constexpr std::array kNames{AddrCode::dns, AddrCode::dns4, AddrCode::dns6,
                                     AddrCode::dnsaddr};
  return std::ranges::any_of(kNames, [&](AddrCode code) { return addr.has(code); });
}

Error no_tcp(const Multiaddr& addr) {
  if (holds_name(addr))
    return {Errc::unsupported, "names are not looked up: give the host's /ip4 or /ip6 address"};
  return {Errc::unsupported, "not an address of plain TCP"};
}

}  // namespace

std::optional<Error> DialJob::undialable(const Multiaddr& addr) const {
  const auto to = addr.tcp_endpoint();
  if (!to) return no_tcp(addr);
  // The kernel would take 0.0.0.0 for this machine.
  if (to->unspecified() || to->port == 0) return Error{Errc::invalid, "an address to listen at"};
  const auto named = addr.peer();
  if (peer_ && named && *named != *peer_) {
    return Error{Errc::invalid, "the address names another peer"};
  }
  return std::nullopt;
}

void DialJob::add(std::span<const Multiaddr> addrs) {
  for (const Multiaddr& addr : addrs) {
    if (seen_.size() == kMostDialAddrs) return;
    auto unusable = undialable(addr);
    // Only where the peer is known is an address the same with and without its /p2p.
    if (!seen_.insert(peer_ && !unusable ? addr.without_peer() : addr).second) continue;
    if (unusable) {
      failures_.push_back({addr, *std::move(unusable)});
    } else {
      waiting_.push_back(addr);
    }
  }
}

Time DialJob::due() const {
  if (waiting_.empty() || running_.size() >= kDialsPerJob) return kNever;
  return next_start_;
}

DialJob::Attempt DialJob::begin(Time now, ConnId id) {
  KAD_CHECK(due() <= now);
  Multiaddr addr = std::move(waiting_.front());
  waiting_.pop_front();
  next_start_ = after(now, kDialStagger);
  const auto expected = peer_ ? peer_ : addr.peer();
  const auto to = addr.tcp_endpoint();
  KAD_CHECK(to.has_value());
  running_.push_back({id, std::move(addr)});
  return {*to, expected};
}

void DialJob::failed(ConnId id, Error cause) {
  const auto at = std::ranges::find(running_, id, &Running::id);
  if (at == running_.end()) return;
  failures_.push_back({std::move(at->addr), std::move(cause)});
  running_.erase(at);
  next_start_ = Time::min();
}

std::vector<ConnId> DialJob::running() const {
  std::vector<ConnId> ids;
  ids.reserve(running_.size());
  for (const Running& attempt : running_) ids.push_back(attempt.id);
  return ids;
}

bool DialJob::is_running(ConnId id) const {
  return std::ranges::find(running_, id, &Running::id) != running_.end();
}

Error DialJob::failure() const {
  if (failures_.empty()) return {Errc::unreachable, "no address of the peer is known"};
  const auto unsupported = [](const DialFailure& f) { return f.cause.code == Errc::unsupported; };
  if (std::ranges::all_of(failures_, unsupported))
    return error(Errc::unsupported, "no address of the peer can be dialed");
  return error(Errc::unreachable, "no address of the peer worked");
}

Error DialJob::error(Errc code, std::string_view what) const {
  std::string text(what);
  const auto add_line = [&text](const Multiaddr& addr, const std::string& cause) {
    text += "; " + addr.text() + ": " + cause;
  };
  for (const DialFailure& failure : failures_) add_line(failure.addr, to_string(failure.cause));
  for (const Running& attempt : running_) add_line(attempt.addr, "no answer yet");
  for (const Multiaddr& addr : waiting_) add_line(addr, "not tried yet");
  return {code, std::move(text)};
}

}  // namespace kadmesh
