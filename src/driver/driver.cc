#include "driver/driver.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "driver/machine.h"

namespace kadmesh {

Driver::Driver(asio::io_context& loop, const KeyPair& identity, NodeConfig config,
               std::unique_ptr<Store> store, OnReport on_report, std::optional<Recorder> recorder)
    : loop_(loop),
      node_(identity, std::move(config), machine_entropy(), machine_now(), std::move(recorder)),
      on_report_(std::move(on_report)),
      pipes_(loop.get_executor(), pipe_events()),
      listeners_(loop.get_executor(),
                 {[this](asio::ip::tcp::socket socket) { accepted(std::move(socket)); },
                  [this](Error what) { turn(input::DriverNotice{std::move(what)}); }}),
      storage_(
          std::move(store), loop.get_executor(),
          [this](StoreOpId id, StoreResult result) { turn(input::Stored{id, std::move(result)}); }),
      timer_(loop),
      drain_deadline_(loop),
      alive_(std::make_shared<Driver*>(this)) {
  settle();
}

Driver::~Driver() = default;

Now Driver::now() const { return machine_now(); }

Pipes::Events Driver::pipe_events() {
  return {
      .dialed = [this](ConnId id, const Endpoint& local) { turn(input::Dialed{id, local}); },
      .dial_failed = [this](ConnId id, const Error& cause) { turn(input::DialFailed{id, cause}); },
      .bytes = [this](ConnId id, ByteView bytes) { turn(input::Received{id, bytes}); },
      .written = [this](ConnId id, std::size_t count) { on_written(id, count); },
      .closed = [this](ConnId id, const Error& cause) { turn(input::Closed{id, cause}); },
      .gone = [this] { on_pipe_gone(); },
  };
}

// --- leaving
void Driver::shutdown(std::function<void(bool all_taken)> done) {
  on_gone_ = std::move(done);
  leaving_ = Leaving::draining;
  if (node_->unsent_bytes() == 0) return close_node();
  drain_deadline_.expires_after(Pipes::kFlushTimeout);
  drain_deadline_.async_wait([this, alive = std::weak_ptr(alive_)](const asio::error_code& error) {
    if (error || alive.expired()) return;
    all_taken_ = false;
    close_node();
  });
}

void Driver::on_written(ConnId id, std::size_t count) {
  turn(input::Written{id, count});
  if (leaving_ == Leaving::draining && node_->unsent_bytes() == 0) close_node();
}

void Driver::close_node() {
  leaving_ = Leaving::closing;
  drain_deadline_.cancel();
  turn(input::Shutdown{});
  if (pipes_.size() == 0) on_pipe_gone();
}

void Driver::on_pipe_gone() {
  listeners_.resume();
  if (leaving_ != Leaving::closing || pipes_.size() > 0 || !on_gone_) return;
  const bool all = all_taken_ && pipes_.dropped() == 0;
  asio::post(loop_, [all, done = std::exchange(on_gone_, nullptr), alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) done(all);
  });
}

// Actions may bring new inputs (a listener's addresses, a user's answer to a report); those nest
// here once and their actions are performed by the loop that is already running.
void Driver::settle() {
  if (settling_) return;
  settling_ = true;
  while (auto action = node_.poll()) perform(*std::move(action));
  settling_ = false;
  tell_trouble();
  arm_timer();
}

void Driver::tell_trouble() {
  Recorder* recorder = node_.recorder();
  auto what = recorder ? recorder->trouble() : std::nullopt;
  if (!what) return;
  node_.renew_luck(machine_entropy());
  on_report_(Notice{Notice::Level::warning, "driver", std::nullopt, *std::move(what)});
}

void Driver::perform(NodeAction action) {
  if (auto* dial = std::get_if<DialPipe>(&action)) return pipes_.dial(dial->id, dial->to);
  if (auto* out = std::get_if<WritePipe>(&action)) return write(std::move(*out));
  if (auto* read = std::get_if<ReadPipe>(&action)) return pipes_.read(read->id, read->wanted);
  if (auto* close = std::get_if<ClosePipe>(&action)) return pipes_.close(close->id, close->abort);
  if (auto* line = std::get_if<KeyLogLine>(&action)) return log_key(*line);
  if (auto* at = std::get_if<ListenPipe>(&action)) return listen(*at);
  if (auto* end = std::get_if<StopListening>(&action)) return listeners_.close(end->id);
  if (auto* op = std::get_if<StoreOp>(&action))
    return storage_.submit(op->id, std::move(op->request));
  on_report_(std::get<Report>(std::move(action)));
}

void Driver::write(WritePipe action) {
  const std::size_t taken = pipes_.write(action.id, std::move(action.bytes));
  if (taken > 0) on_written(action.id, taken);
}

void Driver::listen(const ListenPipe& action) {
  auto addrs = listeners_.open(action.id, action.at);
  if (!addrs) return turn(input::ListenFailed{action.id, std::move(addrs).error()});
  turn(input::Listening{action.id, *std::move(addrs)});
}

void Driver::accepted(asio::ip::tcp::socket socket) {
  asio::error_code local_lost, remote_lost;
  const auto local = socket.local_endpoint(local_lost);
  const auto remote = socket.remote_endpoint(remote_lost);
  if (local_lost || remote_lost) return;  // it left before we looked
  turn(input::Accepted{to_endpoint(local), to_endpoint(remote)},
       [&](ConnId id) { pipes_.adopt(id, std::move(socket)); });
}

void Driver::log_key(const KeyLogLine& line) {
  if (!keylog_) return;
  std::fprintf(keylog_, "%s\n", line.line.c_str());
  std::fflush(keylog_);
}

// A timer that is set too early wakes once for nothing; moving it on every turn would cost more.
void Driver::arm_timer() {
  const Time next = node_->next_timer();
  if (next >= armed_) return;
  armed_ = next;
  timer_.expires_at(std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(next.time_since_epoch())));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const asio::error_code& error) {
    if (error || alive.expired()) return;
    armed_ = kNever;
    if (node_->next_timer() <= now().mono) return turn(input::Timer{});
    arm_timer();
  });
}

}  // namespace kadmesh
