#include "kadnode/run.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "driver/identity_file.h"
#include "kadnode/control_socket.h"
#include "kadnode/data_dir.h"
#include "kadnode/keylog.h"
#include "kadnode/lines.h"
#include "kadnode/render.h"
#include "kadnode/shell.h"
#include "store/sqlite_store.h"

namespace kadmesh::kadnode {
namespace {

constexpr Duration kFlush = 1s;  // for the last lines, to a reader that is slow

bool has_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

std::vector<Multiaddr> every_interface(std::uint16_t port) {
  Endpoint endpoint;
  endpoint.port = port;
  std::vector<Multiaddr> addrs{Multiaddr::tcp(endpoint)};
  endpoint.v6 = true;
  if (has_ipv6()) addrs.push_back(Multiaddr::tcp(endpoint));
  return addrs;
}

void complain(const Error& error) {
  std::fprintf(stderr, "kadnode: %s\n", printable(to_string(error)).c_str());
}

// The node while it runs. Members die in the order that matters: first what calls, last the loop.
class Running {
 public:
  explicit Running(const RunOptions& options)
      : options_(options),
        data_dir_(options.common.data_dir),
        log_(options.common.log, options.common.json),
        loop_(1),
        signals_(loop_, SIGINT, SIGTERM, SIGHUP),
        output_(loop_, STDOUT_FILENO),
        errors_(loop_, STDERR_FILENO) {
    output_.on_broken([this] { leave(); });
  }

  Result<void> start() {
    log_.divert([this](std::string line) { errors_.event(std::move(line)); });
    RETURN_IF_ERROR(data_dir_.make());
    ASSIGN_OR_RETURN(SessionConfig config, session_config());
    ASSIGN_OR_RETURN(session_, Session::open(loop_, std::move(config), log_,
                                             [this](const Event& event) { on_event(event); }));
    ASSIGN_OR_RETURN(control_, ControlSocket::open(loop_, data_dir_.control(), *session_));
    signals_.async_wait([this](const asio::error_code& error, int) {
      if (!error) leave();
    });
    start_front();
    return {};
  }

  // The status to exit with.
  int run() {
    loop_.run();
    log_.divert(nullptr);
    shell_.reset();
    output_.flush(kFlush);
    errors_.flush(kFlush);
    if (!output_.failure()) return 0;
    complain(Error{output_.failure()->code, "standard output: " + output_.failure()->detail});
    return kStartStatus;
  }

 private:
  Result<SessionConfig> session_config() {
    const Options& common = options_.common;
    SessionConfig config;
    // First, for it keeps every other node off the directory.
    ASSIGN_OR_RETURN(config.store, open_store());
    ASSIGN_OR_RETURN(config.identity,
                     read_or_make_identity(common.identity.value_or(data_dir_.identity())));
    ASSIGN_OR_RETURN(keylog_, open_keylog(common.keylog));
    config.keylog = keylog_.get();
    if (options_.record)
      config.record = RecordTo{*options_.record, options_.record_limit, options_.redact};
    config.gossip_trace = options_.gossip_trace;
    config.listen = options_.port ? every_interface(*options_.port) : options_.listen;
    config.seeds = common.bootstrap;
    config.kad_protocol = common.kad_protocol;
    config.mode = options_.mode;
    config.metrics = options_.metrics;
    config.backfill = options_.backfill;
    config.data_dir = data_dir_.path();
    return config;
  }

  Result<std::unique_ptr<Store>> open_store() {
    auto store = SqliteStore::open(data_dir_.store(), StoreLimits{});
    if (!store && store.error().code == Errc::malformed) {
      if (!options_.set_aside_corrupt)
        return fail(Errc::malformed,
                    store.error().detail + "; --set-aside-corrupt does the latter");
      ASSIGN_OR_RETURN(const auto aside, SqliteStore::set_aside(data_dir_.store()));
      log_.write(LogLevel::warning, "store", std::nullopt,
                 store.error().detail + ": it is now " + aside.string());
      store = SqliteStore::open(data_dir_.store(), StoreLimits{});
    }
    if (store) return std::unique_ptr<Store>(*std::move(store));
    if (store.error().code == Errc::refused)
      return fail(Errc::refused, "another kadnode runs on " + data_dir_.path().string() +
                                     ": stop it, or name another directory with --data-dir");
    return std::unexpected(store.error());
  }

  void start_front() {
    if (!options_.common.json && ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO)) {
      shell_ = std::make_unique<Shell>(loop_, data_dir_.history(), options_.common.timeout,
                                       [this] { leave(); });
      if (::isatty(STDERR_FILENO))
        log_.divert([this](const std::string& line) { shell_->show(line); });
      return shell_->start(*session_);
    }
    lines_ = std::make_unique<Lines>(
        loop_, output_,
        Lines::Config{options_.common.json, options_.stay, options_.common.timeout, STDIN_FILENO},
        [this] { leave(); });
    lines_->start(*session_);
  }

  void on_event(const Event& event) {
    if (lines_) lines_->on_event(event);
    if (shell_) shell_->on_event(event);
  }

  // What is left of the loop's work ends by itself: every operation with Errc::closed.
  void leave() {
    if (lines_) lines_->stop();
    if (shell_) shell_->stop();
    control_.reset();
    asio::error_code ignored;
    signals_.cancel(ignored);
    signals_.clear(ignored);  // another one ends us on the spot
    session_->leave();
  }

  const RunOptions& options_;
  DataDir data_dir_;
  KeylogFile keylog_;
  Log log_;
  asio::io_context loop_;
  asio::signal_set signals_;
  Output output_, errors_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<ControlSocket> control_;
  std::unique_ptr<Lines> lines_;
  std::unique_ptr<Shell> shell_;
};

}  // namespace

int run_node(const RunOptions& options) {
  Running running(options);
  if (const auto started = running.start(); !started) {
    if (options.common.json) std::printf("%s\n", json_of_failure(started.error()).c_str());
    complain(started.error());
    return kStartStatus;
  }
  return running.run();
}

}  // namespace kadmesh::kadnode
