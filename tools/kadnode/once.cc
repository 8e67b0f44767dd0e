#include "kadnode/once.h"

#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "driver/identity_file.h"
#include "kadnode/control_socket.h"
#include "kadnode/data_dir.h"
#include "kadnode/keylog.h"
#include "kadnode/render.h"
#include "kadnode/session.h"
#include "kadnode/standard_output.h"

namespace kadmesh::kadnode {
namespace {

// A value alone, as it is: `kadnode get KEY > FILE` gives what was put.
bool print_value(const Result<Answer>& answer) {
  const auto* got = answer ? std::get_if<GetAnswer>(&*answer) : nullptr;
  if (!got || !got->file.empty()) return false;
  const Bytes& value = got->report.value;
  std::fwrite(value.data(), 1, value.size(), stdout);
  if (::isatty(STDOUT_FILENO)) std::printf("\n");
  return true;
}

// The status to exit with: `status`, if the answer could be told.
int print(std::string_view command, Result<Answer> answer, bool json, int status) {
  if (!json && print_value(answer)) return written_out() ? status : kStartStatus;
  const Outcome outcome{command, std::move(answer)};
  if (json)
    std::printf("%s\n", json_of(1, outcome).c_str());
  else if (outcome.answer)
    std::printf("%s\n", text_of(outcome).c_str());
  else
    std::fprintf(stderr, "kadnode: %s\n", text_of(outcome).c_str());
  return written_out() ? status : kStartStatus;
}

int print(std::string_view command, Result<Answer> answer, bool json) {
  const int status = exit_status(answer);
  return print(command, std::move(answer), json, status);
}

// --- answered from the data directory, or by the node that runs there
Result<Answer> identity_of(const Options& options) {
  const DataDir data_dir(options.data_dir);
  if (!options.identity) RETURN_IF_ERROR(data_dir.make());
  ASSIGN_OR_RETURN(const KeyPair identity,
                   read_or_make_identity(options.identity.value_or(data_dir.identity())));
  return IdAnswer{identity.peer_id(), {}, {}};
}

std::string question(const Command& command) {
  std::string line(command.name);
  if (const auto* why = std::get_if<WhyCommand>(&command.action)) line += " " + why->peer.text();
  return line;
}

int status_of(const std::string& error_code) {
  for (int code = 0; code <= static_cast<int>(Errc::io); ++code)
    if (name(static_cast<Errc>(code)) == error_code) return exit_status(static_cast<Errc>(code));
  return 1;
}

int ask_running(const OnceOptions& options) {
  const DataDir data_dir(options.common.data_dir);
  const Duration limit = options.command.timeout.value_or(options.common.timeout);
  auto answer = ask_node(data_dir.control(), question(options.command), options.common.json, limit);
  if (answer) {
    std::fprintf(answer->ok || options.common.json ? stdout : stderr, "%s\n",
                 answer->output.c_str());
    if (!written_out()) return kStartStatus;
    return answer->ok ? 0 : status_of(answer->error_code);
  }
  const std::string_view name = options.command.name;
  Error error = answer.error();
  if (error.code == Errc::unreachable) {
    error.detail = "no node runs on " + options.common.data_dir.string() +
                   ": start one with `kadnode run`, or name its directory with --data-dir";
    return print(name, std::unexpected(error), options.common.json, kNoNodeStatus);
  }
  error.detail = data_dir.control().string() + ": " + error.detail;
  return print(name, std::unexpected(error), options.common.json);
}

// --- carried out by a client that lives as long as the command
class Client {
 public:
  explicit Client(OnceOptions options)
      : options_(std::move(options)),
        log_(options_.common.log, options_.common.json),
        loop_(1),
        signals_(loop_, SIGINT, SIGTERM, SIGHUP) {}

  Result<void> start() {
    SessionConfig config;
    const Options& common = options_.common;
    if (common.identity) {
      ASSIGN_OR_RETURN(config.identity, read_identity(*common.identity));
    }
    ASSIGN_OR_RETURN(keylog_, open_keylog(common.keylog));
    config.keylog = keylog_.get();
    config.seeds = common.bootstrap;
    config.kad_protocol = common.kad_protocol;
    config.mode = KadMode::client;
    config.patient = true;
    ASSIGN_OR_RETURN(session_, Session::open(loop_, std::move(config), log_,
                                             [this](const Event& event) { on_event(event); }));
    return {};
  }

  int run() {
    const std::string_view name = options_.command.name;
    listens_ = std::holds_alternative<SubscribeCommand>(options_.command.action);
    signals_.async_wait([this](const asio::error_code& error, int) {
      if (!error) session_->close();  // ends the command as well, and that is its answer
    });
    session_->run(std::move(options_.command), options_.common.timeout,
                  [this, name](Result<Answer> answer) { done(name, std::move(answer)); });
    loop_.run();
    return status_;
  }

 private:
  void done(std::string_view name, Result<Answer> answer) {
    if (leaving_) return;
    if (listens_ && answer) return;  // its messages are its answer
    status_ = print(name, undelivered(std::move(answer)), options_.common.json);
    leave();
  }

  // What only this client keeps is lost with it.
  static Result<Answer> undelivered(Result<Answer> answer) {
    const auto* put = answer ? std::get_if<PutReport>(&*answer) : nullptr;
    const auto* provided = answer ? std::get_if<ProvideReport>(&*answer) : nullptr;
    if (put && put->acknowledged == 0)
      return fail(Errc::no_peers, "no peer stored it; contacted " + std::to_string(put->contacted));
    if (provided && provided->contacted == 0) return fail(Errc::no_peers, "no peer was told");
    return answer;
  }

  void leave() {
    leaving_ = true;
    asio::error_code ignored;
    signals_.cancel(ignored);
    signals_.clear(ignored);  // another one ends us on the spot
    session_->leave();
  }

  void on_event(const Event& event) {
    if (std::holds_alternative<StepEvent>(event)) return show_step(event);
    if (!listens_ || status_ != 0 || !std::holds_alternative<MessageEvent>(event)) return;
    std::printf("%s\n", options_.common.json ? json_of(event).c_str() : text_of(event).c_str());
    if (written_out()) return;
    status_ = kStartStatus;
    asio::post(loop_, [this] { leave(); });  // not inside a call of the session
  }

  // Standard output is the answer's; with --json a reader can tell them apart.
  void show_step(const Event& event) {
    const bool json = options_.common.json;
    std::fprintf(json ? stdout : stderr, "%s\n",
                 json ? json_of(event).c_str() : text_of(event).c_str());
  }

  OnceOptions options_;
  KeylogFile keylog_;
  Log log_;
  asio::io_context loop_;
  asio::signal_set signals_;
  std::unique_ptr<Session> session_;
  bool listens_ = false, leaving_ = false;
  int status_ = 0;
};

int run_client(OnceOptions options) {
  const std::string name(options.command.name);
  const bool json = options.common.json;
  Client client(std::move(options));
  if (auto started = client.start(); !started)
    return print(name, std::unexpected(started.error()), json, kStartStatus);
  return client.run();
}

}  // namespace

int run_once(OnceOptions options) {
  const CommandInfo& info = *find_command(options.command.name);
  if (info.as_arguments == AsArguments::running_node) return ask_running(options);
  if (info.as_arguments == AsArguments::data_dir) {
    auto identity = identity_of(options.common);
    const int status = identity ? 0 : kStartStatus;
    return print("id", std::move(identity), options.common.json, status);
  }
  return run_client(std::move(options));
}

}  // namespace kadmesh::kadnode
