#include "driver/metrics_listener.h"

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>

#include "driver/http_request.h"
#include "driver/pipes.h"

namespace kadmesh {

using asio::ip::tcp;

namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr Duration kRetry = 1s;  // after an accept that failed: descriptors may be free again

// `fields`: whole lines.
std::string response(std::string_view status, std::string_view fields, std::string_view body) {
  return "HTTP/1.0 " + std::string(status) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         std::string(body);
}

std::string page(std::string_view text, Duration fresh) {
  return response("200 OK",
                  "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                  "Cache-Control: max-age=" +
                      std::to_string(fresh / 1s) + "\r\n",
                  text);
}

std::string refusal(std::string_view status, std::string_view why) {
  return response(status, "Content-Type: text/plain; charset=utf-8\r\n", std::string(why) + "\n");
}

// "/metrics", with a query or without.
bool is_for_metrics(const HttpRequest& request) {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  return request.method == "GET" && path == "/metrics";
}

}  // namespace

struct MetricsListener::State : std::enable_shared_from_this<State> {
  using Answer = std::shared_ptr<const std::string>;

  struct Client {
    Client(tcp::socket with) : socket(std::move(with)), deadline(socket.get_executor()) {}

    tcp::socket socket;
    asio::steady_timer deadline;
    std::string request;
    Answer answer;  // none before the request is whole
    std::array<char, 1024> piece{};
    std::size_t written = 0;
  };
  using ClientPtr = std::shared_ptr<Client>;

  State(asio::io_context& loop, std::function<std::string()> make, MetricsOptions with)
      : acceptor(loop), retry(loop), text(std::move(make)), options(std::move(with)) {}

  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::function<std::string()> text;
  MetricsOptions options;
  std::deque<ClientPtr> clients;  // as they came
  Answer metrics;                 // the latest
  std::chrono::steady_clock::time_point stale_at;

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const asio::error_code& error, tcp::socket socket) {
          if (!self->acceptor.is_open()) return;
          if (error) return self->accept_later();
          self->serve(std::move(socket));
          self->accept();
        });
  }

  void accept_later() {
    retry.expires_after(kRetry);
    retry.async_wait([self = shared_from_this()](const asio::error_code&) {
      if (self->acceptor.is_open()) self->accept();
    });
  }

  bool is_served(const ClientPtr& client) const {
    return std::ranges::find(clients, client) != clients.end();
  }

  void make_room() {
    if (clients.size() < kMostClients) return;
    const auto silent = std::ranges::find(clients, nullptr, &Client::answer);
    end(ClientPtr(silent == clients.end() ? clients.front() : *silent));
  }

  void serve(tcp::socket socket) {
    make_room();
    const auto client = std::make_shared<Client>(std::move(socket));
    clients.push_back(client);
    client->deadline.expires_after(options.patience);
    client->deadline.async_wait([self = shared_from_this(), client](const asio::error_code& error) {
      if (!error) self->end(client);
    });
    read(client);
  }

  void read(const ClientPtr& client) {
    client->socket.async_read_some(
        asio::buffer(client->piece),
        [self = shared_from_this(), client](const asio::error_code& error, std::size_t count) {
          if (error || !self->is_served(client)) return self->end(client);
          self->take(client, std::string_view(client->piece.data(), count));
        });
  }

  void take(const ClientPtr& client, std::string_view piece) {
    std::string& request = client->request;
    const std::size_t seen = std::max(request.size(), kBlankLine.size()) - kBlankLine.size();
    request.append(piece);
    if (request.find(kBlankLine, seen) != std::string::npos) return answer(client);
    if (request.size() >= kMostRequest) return end(client);
    read(client);
  }

  void answer(const ClientPtr& client) {
    client->answer = answer_to(client->request);
    write(client);
  }

  Answer answer_to(std::string_view head) {
    const auto request = read_http_request(head);
    if (!request) return refuse("400 Bad Request", request.error().detail);
    if (request->host && !is_own_host(*request->host, options.names))
      return refuse("421 Misdirected Request",
                    "not asked by that name: use an IP address, localhost, or a name that this "
                    "node was told of");
    if (!is_for_metrics(*request)) return refuse("404 Not Found", "GET /metrics");
    return fresh_metrics();
  }

  static Answer refuse(std::string_view status, std::string_view why) {
    return std::make_shared<const std::string>(refusal(status, why));
  }

  Answer fresh_metrics() {
    if (!metrics || std::chrono::steady_clock::now() >= stale_at) {
      metrics = std::make_shared<const std::string>(page(text(), options.fresh));
      stale_at = std::chrono::steady_clock::now() + options.fresh;
    }
    return metrics;
  }

  void write(const ClientPtr& client) {
    const std::string& answer = *client->answer;
    const auto slice = asio::buffer(answer.data() + client->written,
                                    std::min(kSlice, answer.size() - client->written));
    client->socket.async_write_some(slice, [self = shared_from_this(), client](
                                               const asio::error_code& error, std::size_t count) {
      client->written += count;
      const bool done = client->written == client->answer->size();
      if (error || done || !self->is_served(client)) return self->end(client);
      self->write(client);
    });
  }

  // In order where all was said: the reader sees the end behind the last byte.
  void end(const ClientPtr& client) {
    if (std::erase(clients, client) == 0) return;
    asio::error_code ignored;
    client->deadline.cancel();
    client->socket.shutdown(tcp::socket::shutdown_both, ignored);
    client->socket.close(ignored);
  }

  void close() {
    asio::error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    while (!clients.empty()) end(ClientPtr(clients.front()));
  }
};

MetricsListener::MetricsListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

MetricsListener::~MetricsListener() { state_->close(); }

Result<std::unique_ptr<MetricsListener>> MetricsListener::open(asio::io_context& loop,
                                                               const Endpoint& at,
                                                               std::function<std::string()> text,
                                                               MetricsOptions options) {
  auto state = std::make_shared<State>(loop, std::move(text), std::move(options));
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
