#include "kadnode/control_socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "kadnode/render.h"

namespace kadmesh::kadnode {
namespace {

using Unix = asio::local::stream_protocol;
using Json = nlohmann::ordered_json;

constexpr Duration kPause = 100ms;
constexpr std::size_t kMostAnswer = 64 * 1024 * 1024;  // a client's patience with its own node

// The kernel takes socket paths of up to 107 bytes. A longer one is reached through its directory's
// descriptor, which is open while this lives.
class SocketPath {
 public:
  explicit SocketPath(const std::filesystem::path& path) : text_(path.string()) {
    if (text_.size() <= kMost) return;
    directory_ = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    text_ = "/proc/self/fd/" + std::to_string(directory_) + "/" + path.filename().string();
  }
  ~SocketPath() {
    if (directory_ >= 0) ::close(directory_);
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;

  Unix::endpoint endpoint() const { return Unix::endpoint(text_); }

 private:
  static constexpr std::size_t kMost = 107;
  std::string text_;
  int directory_ = -1;
};

Json refusal(std::string_view command, Error error) {
  return Json::parse(json_of(1, Outcome{command, std::unexpected(std::move(error))}));
}

}  // namespace

// --- the node's side
struct ControlSocket::State : std::enable_shared_from_this<State> {
  struct Client {
    explicit Client(Unix::socket with) : socket(std::move(with)) {}

    Unix::socket socket;
    std::optional<asio::steady_timer> idle;
    std::string request, answer;
  };

  State(asio::io_context& in, std::filesystem::path where, const Session& of)
      : loop(in), path(std::move(where)), session(of), acceptor(in) {}

  Result<void> listen() {
    ::unlink(path.c_str());
    const SocketPath socket_path(path);
    asio::error_code error;
    acceptor.open(Unix(), error);
    // Made with its mode, so that there is no moment at which others can connect.
    const mode_t mask = ::umask(0177);
    if (!error) acceptor.bind(socket_path.endpoint(), error);
    ::umask(mask);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(Errc::io, "control socket " + path.string() + ": " + error.message());
    return {};
  }

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const asio::error_code& error, Unix::socket socket) {
          if (!self->acceptor.is_open()) return;
          if (error) return self->pause();
          self->welcome(std::move(socket));
          self->accept();
        });
  }

  // Out of descriptors: the next try would fail at once too.
  void pause() {
    retry.emplace(loop, kPause);
    retry->async_wait([self = shared_from_this()](const asio::error_code& error) {
      if (!error) self->accept();
    });
  }

  void welcome(Unix::socket socket) {
    if (clients.size() >= kMostClients) return turn_away(std::move(socket));
    auto client = std::make_shared<Client>(std::move(socket));
    clients.insert(client);
    read(client);
  }

  // As much as the socket takes at once, which for one line is all.
  static void turn_away(Unix::socket socket) {
    const Error busy{Errc::limit, "too many ask this node at once: try again"};
    asio::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(refusal("", busy).dump() + "\n"), ignored);
  }

  void read(const std::shared_ptr<Client>& client) {
    client->idle.emplace(loop, kIdle);
    client->idle->async_wait([self = shared_from_this(), client](const asio::error_code& error) {
      if (!error) self->drop(client);
    });
    asio::async_read_until(
        client->socket, asio::dynamic_buffer(client->request, kMostRequest), '\n',
        [self = shared_from_this(), client](const asio::error_code& error, std::size_t size) {
          if (error || !self->clients.contains(client)) return self->drop(client);
          self->answer(client, size);
        });
  }

  void answer(const std::shared_ptr<Client>& client, std::size_t size) {
    client->answer = respond(client->request.substr(0, size)).dump() + "\n";
    client->request.erase(0, size);
    asio::async_write(client->socket, asio::buffer(client->answer),
                      [self = shared_from_this(), client](const asio::error_code& error, auto) {
                        if (error || !self->clients.contains(client)) return self->drop(client);
                        self->read(client);
                      });
  }

  void drop(const std::shared_ptr<Client>& client) {
    asio::error_code ignored;
    client->socket.close(ignored);
    client->idle.reset();
    clients.erase(client);
  }

  Json respond(const std::string& line) const {
    const Json request = Json::parse(line, nullptr, false);
    const auto wrong = [](const char* why) { return refusal("", {Errc::invalid, why}); };
    if (!request.is_object()) return wrong("a request is one JSON object on one line");
    const auto command = request.find("command");
    if (command == request.end() || !command->is_string())
      return wrong("\"command\" is to be a string");
    const auto text = request.find("text");
    return respond(command->get<std::string>(), text != request.end() && *text == true);
  }

  Json respond(const std::string& line, bool text) const {
    const auto typed = parse_line(line);
    if (!typed) return refusal("", {Errc::invalid, "the command is empty"});
    if (!typed->command) return refusal(typed->name, typed->command.error());
    const Outcome outcome{typed->name, session.ask(typed->command->action)};
    Json out = Json::parse(json_of(1, outcome));
    if (text) out["text"] = text_of(outcome);
    return out;
  }

  void close() {
    asio::error_code ignored;
    acceptor.close(ignored);
    retry.reset();
    ::unlink(path.c_str());
    while (!clients.empty()) drop(std::shared_ptr(*clients.begin()));
  }

  asio::io_context& loop;
  const std::filesystem::path path;
  const Session& session;
  Unix::acceptor acceptor;
  std::optional<asio::steady_timer> retry;
  std::set<std::shared_ptr<Client>> clients;
};

ControlSocket::ControlSocket(std::shared_ptr<State> state) : state_(std::move(state)) {}
ControlSocket::~ControlSocket() { state_->close(); }

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::io_context& loop,
                                                           const std::filesystem::path& path,
                                                           const Session& session) {
  auto state = std::make_shared<State>(loop, path, session);
  RETURN_IF_ERROR(state->listen());
  state->accept();
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(state)));
}

// --- the asking side
namespace {

// One question and its answer, step by step: connect, write, read.
struct Exchange {
  Exchange(asio::io_context& loop, std::string with) : socket(loop), request(std::move(with)) {}

  void start(const Unix::endpoint& at) {
    socket.async_connect(at, [this](const asio::error_code& error) {
      if (error) return end(fail(code_of(error), error.message()));
      asio::async_write(socket, asio::buffer(request),
                        [this](const asio::error_code& lost, auto) { on_written(lost); });
    });
  }

  // A socket that is not there, or that a dead process left; any other trouble is no proof of that.
  static Errc code_of(const asio::error_code& error) {
    const bool nobody = error.value() == ECONNREFUSED || error.value() == ENOENT;
    return nobody ? Errc::unreachable : Errc::io;
  }

  // A node that turns us away may have closed before it read the question.
  void on_written(const asio::error_code& error) {
    if (error && error != asio::error::broken_pipe) return end(fail(Errc::io, error.message()));
    read();
  }

  void read() {
    asio::async_read_until(socket, asio::dynamic_buffer(answer, kMostAnswer), '\n',
                           [this](const asio::error_code& lost, std::size_t size) {
                             if (lost) return end(fail(Errc::io, lost.message()));
                             end(answer.substr(0, size));
                           });
  }

  void end(Result<std::string> with) { line = std::move(with); }

  Unix::socket socket;
  const std::string request;
  std::string answer;
  std::optional<Result<std::string>> line;  // none while it lasts
};

Result<ControlAnswer> understood(const std::string& line, bool json) {
  Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("ok"))
    return fail(Errc::malformed, "the node answered something else than JSON");
  const bool ok = answer["ok"] == true;
  std::string output;
  if (json) {
    answer.erase("text");
    output = answer.dump();
  } else {
    output = answer.value("text", "");
  }
  return ControlAnswer{ok, ok ? "" : answer["error"].value("code", ""), std::move(output)};
}

}  // namespace

Result<ControlAnswer> ask_node(const std::filesystem::path& path, const std::string& command,
                               bool json, Duration limit) {
  const SocketPath socket_path(path);
  asio::io_context loop(1);
  Exchange exchange(loop, Json{{"command", command}, {"text", !json}}.dump() + "\n");
  exchange.start(socket_path.endpoint());
  loop.run_for(limit);
  if (!exchange.line) return fail(Errc::timeout, "the node that runs there does not answer");
  if (!*exchange.line) return std::unexpected(exchange.line->error());
  return understood(**exchange.line, json);
}

}  // namespace kadmesh::kadnode
