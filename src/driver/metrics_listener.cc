#include "driver/metrics_listener.h"

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <set>

#include "driver/pipes.h"

namespace kadmesh {

using asio::ip::tcp;

namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr Duration kRetry = 1s;  // after an accept that failed: descriptors may be free again

std::string response(std::string_view status, std::string_view body) {
  return "HTTP/1.0 " + std::string(status) +
         "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + std::string(body);
}

// "GET /metrics HTTP/1.1", with a query or without.
bool asks_for_metrics(std::string_view request) {
  const std::string_view line = request.substr(0, request.find("\r\n"));
  constexpr std::string_view kWanted = "GET /metrics";
  if (!line.starts_with(kWanted)) return false;
  const std::string_view rest = line.substr(kWanted.size());
  return rest.starts_with(' ') || rest.starts_with('?');
}

}  // namespace

struct MetricsListener::State : std::enable_shared_from_this<State> {
  struct Client {
    Client(tcp::socket with) : socket(std::move(with)), deadline(socket.get_executor()) {}

    tcp::socket socket;
    asio::steady_timer deadline;
    std::string request, answer;
    std::array<char, 1024> piece{};
    std::size_t written = 0;
  };
  using ClientPtr = std::shared_ptr<Client>;

  State(asio::io_context& loop, std::function<std::string()> make, Duration limit)
      : acceptor(loop), retry(loop), text(std::move(make)), patience(limit) {}

  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::function<std::string()> text;
  Duration patience;
  std::set<ClientPtr> clients;

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const asio::error_code& error, tcp::socket socket) {
          if (!self->acceptor.is_open()) return;
          if (error) return self->accept_later();
          if (self->clients.size() < kMostClients) self->serve(std::move(socket));
          self->accept();
        });
  }

  void accept_later() {
    retry.expires_after(kRetry);
    retry.async_wait([self = shared_from_this()](const asio::error_code&) {
      if (self->acceptor.is_open()) self->accept();
    });
  }

  void serve(tcp::socket socket) {
    const auto client = std::make_shared<Client>(std::move(socket));
    clients.insert(client);
    client->deadline.expires_after(patience);
    client->deadline.async_wait([self = shared_from_this(), client](const asio::error_code& error) {
      if (!error) self->end(client);
    });
    read(client);
  }

  void read(const ClientPtr& client) {
    client->socket.async_read_some(
        asio::buffer(client->piece),
        [self = shared_from_this(), client](const asio::error_code& error, std::size_t count) {
          if (error || !self->clients.contains(client)) return self->end(client);
          client->request.append(client->piece.data(), count);
          self->take(client);
        });
  }

  void take(const ClientPtr& client) {
    if (client->request.find(kBlankLine) != std::string::npos) return answer(client);
    if (client->request.size() >= kMostRequest) return end(client);
    read(client);
  }

  void answer(const ClientPtr& client) {
    client->answer = asks_for_metrics(client->request)
                         ? response("200 OK", text())
                         : response("404 Not Found", "GET /metrics\n");
    write(client);
  }

  void write(const ClientPtr& client) {
    const auto slice = asio::buffer(client->answer.data() + client->written,
                                    std::min(kSlice, client->answer.size() - client->written));
    client->socket.async_write_some(slice, [self = shared_from_this(), client](
                                               const asio::error_code& error, std::size_t count) {
      client->written += count;
      const bool done = client->written == client->answer.size();
      if (error || done || !self->clients.contains(client)) return self->end(client);
      self->write(client);
    });
  }

  // In order where all was said: the reader sees the end behind the last byte.
  void end(const ClientPtr& client) {
    if (clients.erase(client) == 0) return;
    asio::error_code ignored;
    client->deadline.cancel();
    client->socket.shutdown(tcp::socket::shutdown_both, ignored);
    client->socket.close(ignored);
  }

  void close() {
    asio::error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    while (!clients.empty()) end(ClientPtr(*clients.begin()));
  }
};

MetricsListener::MetricsListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

MetricsListener::~MetricsListener() { state_->close(); }

Result<std::unique_ptr<MetricsListener>> MetricsListener::open(asio::io_context& loop,
                                                               const Endpoint& at,
                                                               std::function<std::string()> text,
                                                               Duration patience) {
  auto state = std::make_shared<State>(loop, std::move(text), patience);
  const tcp::endpoint endpoint = to_asio(at);
  asio::error_code error;
  state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(Errc::io, "metrics at " + Multiaddr::tcp(at).text() + ": " + error.message());
  state->accept();
  return std::unique_ptr<MetricsListener>(new MetricsListener(std::move(state)));
}

Endpoint MetricsListener::at() const {
  asio::error_code ignored;
  return to_endpoint(state_->acceptor.local_endpoint(ignored));
}

std::size_t MetricsListener::clients() const { return state_->clients.size(); }

}  // namespace kadmesh
