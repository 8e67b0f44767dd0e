#include "driver/listeners.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <asio/ip/v6_only.hpp>
#include <asio/steady_timer.hpp>
#include <cstring>

#include "driver/pipes.h"

namespace kadmesh {
namespace {

using asio::ip::tcp;

std::optional<Endpoint> address_of(const ifaddrs& interface, bool v6) {
  if (!interface.ifa_addr || !(interface.ifa_flags & IFF_UP)) return std::nullopt;
  if (interface.ifa_addr->sa_family != (v6 ? AF_INET6 : AF_INET)) return std::nullopt;
  Endpoint endpoint;
  endpoint.v6 = v6;
  if (v6) {
    sockaddr_in6 address;
    std::memcpy(&address, interface.ifa_addr, sizeof address);
    if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) return std::nullopt;
    std::memcpy(endpoint.host.data(), &address.sin6_addr, 16);
  } else {
    sockaddr_in address;
    std::memcpy(&address, interface.ifa_addr, sizeof address);
    std::memcpy(endpoint.host.data(), &address.sin_addr, 4);
  }
  return endpoint;
}

std::vector<Multiaddr> reachable_at(const Endpoint& bound) {
  std::vector<Endpoint> endpoints{bound};
  if (bound.unspecified()) endpoints = interface_addresses(bound.v6);
  std::vector<Multiaddr> addrs;
  for (Endpoint endpoint : endpoints) {
    endpoint.port = bound.port;
    addrs.push_back(Multiaddr::tcp(endpoint));
  }
  return addrs;
}

bool out_of_descriptors(const asio::error_code& error) {
  return error == asio::error::no_descriptors || error.value() == ENFILE ||
         error == asio::error::no_memory || error == asio::error::no_buffer_space;
}

}  // namespace

std::vector<Endpoint> interface_addresses(bool v6) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  std::vector<Endpoint> found;
  for (const ifaddrs* at = first; at; at = at->ifa_next)
    if (const auto endpoint = address_of(*at, v6)) found.push_back(*endpoint);
  freeifaddrs(first);
  return found;
}

struct Listeners::Listener {
  Listener(asio::any_io_executor loop) : acceptor(loop), retry(loop) {}

  tcp::acceptor acceptor;
  asio::steady_timer retry;
  bool paused = false;
};

Listeners::Listeners(asio::any_io_executor loop, Events events)
    : loop_(std::move(loop)), events_(std::move(events)) {}

Listeners::~Listeners() {
  while (!open_.empty()) close(open_.begin()->first);
}

Result<std::vector<Multiaddr>> Listeners::open(ListenId id, const Endpoint& at) {
  const tcp::endpoint endpoint = to_asio(at);
  auto listener = std::make_shared<Listener>(loop_);
  asio::error_code error;
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && at.v6) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(Errc::io, "listen on " + Multiaddr::tcp(at).text() + ": " + error.message());
  const Endpoint bound = to_endpoint(acceptor.local_endpoint(error));
  open_.emplace(id, listener);
  accept(listener);
  return reachable_at(bound);
}

void Listeners::close(ListenId id) {
  const auto at = open_.find(id);
  if (at == open_.end()) return;
  asio::error_code ignored;
  at->second->acceptor.close(ignored);
  at->second->retry.cancel();
  open_.erase(at);
}

void Listeners::accept(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(
      [this, listener](const asio::error_code& error, tcp::socket socket) {
        if (!listener->acceptor.is_open()) return;
        if (error && out_of_descriptors(error)) return pause(listener, error);
        if (!error) events_.accepted(std::move(socket));
        if (listener->acceptor.is_open()) accept(listener);
      });
}

void Listeners::pause(const std::shared_ptr<Listener>& listener, const asio::error_code& error) {
  if (!listener->paused)
    events_.trouble({Errc::limit, "accept pauses until a descriptor is free: " + error.message()});
  listener->paused = true;
  listener->retry.expires_after(kPause);
  listener->retry.async_wait([this, listener](const asio::error_code&) {
    if (listener->acceptor.is_open()) accept(listener);
  });
}

void Listeners::resume() {
  for (const auto& [id, listener] : open_)
    if (std::exchange(listener->paused, false)) listener->retry.cancel();
}

}  // namespace kadmesh
