#include "kadnode/session.h"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <set>

#include "driver/host.h"
#include "driver/metrics_listener.h"
#include "driver/metrics_text.h"
#include "kadnode/help.h"
#include "kadnode/payload.h"
#include "kadnode/snapshot.h"

namespace kadmesh::kadnode {
namespace {

using asio::awaitable;
using asio::use_awaitable;

// Between two tries of a patient publish.
constexpr Duration kPublishRetry = 20ms;

bool own_network(const std::string& kad_protocol) { return !kad_protocol.starts_with("/ipfs/"); }

// A network of one's own makes its own rules: there every value of /v/... is taken.
Validators validators(const std::string& kad_protocol) {
  Validators all = Validators::standard();
  if (own_network(kad_protocol)) all.set("v", std::make_shared<PassThroughValidator>());
  return all;
}

HostConfig host_config(SessionConfig& config) {
  HostConfig host;
  host.identity = config.identity;
  host.listen = config.listen;
  host.store = std::move(config.store);
  host.keylog = config.keylog;
  host.record = config.record;
  host.node.swarm.keylog = config.keylog != nullptr;
  host.node.kad.protocol = config.kad_protocol;
  host.node.kad.mode = config.mode;
  host.node.kad.seeds = config.seeds;
  host.node.kad.validators = validators(config.kad_protocol);
  host.gossip_trace = config.gossip_trace;
  if (config.backfill) host.node.backfill.keep = Keep::in_memory;
  return host;
}

template <class T>
Result<Answer> as_answer(Result<T> result) {
  if (!result) return std::unexpected(std::move(result).error());
  return Answer(*std::move(result));
}

Error closed() { return {Errc::closed, "the node is leaving"}; }

}  // namespace

struct Session::State {
  State(asio::io_context& in, SessionConfig settings, Log& to, OnEvent call)
      : loop(in), config(std::move(settings)), log(to), on_event(std::move(call)) {}

  asio::io_context& loop;
  SessionConfig config;
  Log& log;
  OnEvent on_event;
  std::unique_ptr<Host> host;  // none once closed
  std::unique_ptr<MetricsListener> metrics;
  Now started{};

  // It asks for no text behind the host's end.
  Result<void> open_metrics() {
    if (!config.metrics) return {};
    ASSIGN_OR_RETURN(metrics, MetricsListener::open(
                                  loop, *config.metrics->at.tcp_endpoint(),
                                  [this] { return metrics_text(metrics_of(*host, started.wall)); },
                                  {.names = config.metrics->names}));
    log.write(LogLevel::info, "driver", std::nullopt,
              "metrics at " + Multiaddr::tcp(metrics->at()).text());
    return {};
  }

  Time deadline(Duration limit) const { return after(host->now().mono, limit); }
  // How a command is to be carried out.
  struct Terms {
    Duration limit;
    Host::OnStep on_step;  // null: it is not traced
  };
  Terms terms(Duration limit, bool trace) {
    if (!trace || !host) return {limit, nullptr};
    return {limit, [this, begun = host->now().mono](const WalkStep& step) {
              tell(StepEvent{step, step.when - begun});
            }};
  }
  Duration left(Time until) const { return std::max<Duration>(until - host->now().mono, 0ms); }

  // --- commands that others take part in. Nothing of the host is touched behind a co_await without
  // seeing that it is still there.
  awaitable<Result<ConnectReport>> reach(Target to, Duration limit) {
    if (const auto* addr = std::get_if<Multiaddr>(&to))
      co_return co_await host->async_connect(*addr, use_awaitable, limit);
    co_return co_await host->async_connect(std::get<PeerId>(to), use_awaitable, limit);
  }

  awaitable<Result<Answer>> perform(ConnectCommand c, Terms terms) {
    co_return as_answer(co_await reach(c.to, terms.limit));
  }

  awaitable<Result<Answer>> perform(PingCommand c, Terms terms) {
    const Time end = deadline(terms.limit);
    const auto reached = co_await reach(c.to, terms.limit);
    if (!reached) co_return std::unexpected(reached.error());
    PingAnswer answer{reached->peer, {}};
    while (answer.rtts.size() < c.count) {
      if (!host) co_return std::unexpected(closed());
      const auto pinged = co_await host->async_ping(reached->peer, use_awaitable, left(end));
      if (!pinged) co_return std::unexpected(pinged.error());
      answer.rtts.push_back(pinged->rtt);
    }
    co_return Answer(std::move(answer));
  }

  awaitable<Result<Answer>> perform(PutCommand c, Terms terms) {
    auto value = contents(c.value);
    if (!value) co_return std::unexpected(value.error());
    co_return as_answer(co_await host->async_put(std::move(c.key), *std::move(value), use_awaitable,
                                                 terms.limit, terms.on_step));
  }

  awaitable<Result<Answer>> perform(GetCommand c, Terms terms) {
    auto got = co_await host->async_get(std::move(c.key), use_awaitable, terms.limit, terms.on_step,
                                        c.quorum);
    if (!got) co_return std::unexpected(got.error());
    if (!c.into_file.empty())
      if (auto written = write_file(c.into_file, got->value); !written)
        co_return std::unexpected(written.error());
    co_return Answer(GetAnswer{*std::move(got), c.into_file});
  }

  awaitable<Result<Answer>> perform(ProvideCommand c, Terms terms) {
    co_return as_answer(co_await host->async_provide(std::move(c.multihash), use_awaitable,
                                                     terms.limit, terms.on_step));
  }

  awaitable<Result<Answer>> perform(ProvidersCommand c, Terms terms) {
    co_return as_answer(co_await host->async_find_providers(
        std::move(c.multihash), c.most, use_awaitable, terms.limit, terms.on_step));
  }

  awaitable<Result<Answer>> perform(FindCommand c, Terms terms) {
    co_return as_answer(
        co_await host->async_find_peer(c.peer, use_awaitable, terms.limit, terms.on_step));
  }

  awaitable<Result<Answer>> perform(ClosestCommand c, Terms terms) {
    co_return as_answer(co_await host->async_find_closest(std::move(c.target), use_awaitable,
                                                          terms.limit, terms.on_step));
  }

  awaitable<Result<Answer>> perform(PublishCommand c, Terms terms) {
    const Time end = deadline(terms.limit);
    auto data = contents(c.data);
    if (!data) co_return std::unexpected(data.error());
    for (;;) {
      if (!host) co_return std::unexpected(closed());
      auto receipt = host->publish(c.topic, *data);
      if (receipt) co_return Answer(PublishAnswer{c.topic, *std::move(receipt)});
      const bool again = config.patient && receipt.error().code == Errc::no_peers;
      if (!again || left(end) == 0ms) co_return std::unexpected(receipt.error());
      asio::steady_timer timer(loop, std::min(kPublishRetry, left(end)));
      co_await timer.async_wait(use_awaitable);
    }
  }

  awaitable<Result<Answer>> perform(BackfillCommand c, Terms terms) {
    const Time end = deadline(terms.limit);
    const auto reached = co_await reach(c.from, terms.limit);
    if (!reached) co_return std::unexpected(reached.error());
    if (!host) co_return std::unexpected(closed());
    // By name: g++ 12 destroys an aggregate that is made within a co_await twice.
    BackfillRange range{.after = std::move(c.after)};
    co_return as_answer(co_await host->async_backfill(reached->peer, std::move(c.topic),
                                                      use_awaitable, left(end), std::move(range)));
  }

  // --- commands that the node carries out alone
  Result<Answer> at_once(const SubscribeCommand& c) {
    RETURN_IF_ERROR(host->subscribe(
        c.topic, [this](const GossipDeliver& delivery) { tell(MessageEvent{delivery}); }));
    return SubscribedAnswer{c.topic, true};
  }

  Result<Answer> at_once(const UnsubscribeCommand& c) {
    host->unsubscribe(c.topic);
    return SubscribedAnswer{c.topic, false};
  }

  Result<Answer> at_once(const HelpCommand& c) const { return HelpAnswer{help_text(c.about)}; }
  Result<Answer> at_once(const QuitCommand&) const { return QuitAnswer{}; }

  Result<Answer> at_once(const IdCommand&) const {
    return IdAnswer{host->id(), host->addrs(), config.kad_protocol};
  }
  Result<Answer> at_once(const WhyCommand& c) const {
    return WhyAnswer{c.peer, host->node().why(c.peer, host->now())};
  }
  Result<Answer> at_once(const NetworkCommand&) const { return network_of(*host); }
  Result<Answer> at_once(const StatsCommand&) const { return stats_of(*host, started.mono); }

  template <class C>
  awaitable<Result<Answer>> perform(C command, Terms) {
    co_return at_once(command);
  }

  awaitable<void> run(CommandAction action, Duration limit, bool trace, Done done) {
    Result<Answer> answer = std::unexpected(closed());
    if (host)
      answer = co_await std::visit(
          [&](auto& command) { return perform(std::move(command), terms(limit, trace)); }, action);
    if (!answer && takes_keys(action)) explain_key(answer.error());
    if (!answer) explain(answer.error());
    done(std::move(answer));
  }

  static bool takes_keys(const CommandAction& action) {
    return std::holds_alternative<PutCommand>(action) || std::holds_alternative<GetCommand>(action);
  }

  void explain_key(Error& error) const {
    if (error.code == Errc::invalid && !own_network(config.kad_protocol))
      error.detail += "; only a network of your own takes /v/NAME: --kad-protocol /mine/kad/1.0.0";
  }

  // Nobody could be asked: why the seeds did not help is half of the answer.
  void explain(Error& error) const {
    if (!host || (error.code != Errc::timeout && error.code != Errc::no_peers)) return;
    const BootstrapStatus status = host->node().kad().bootstrap();
    if (status.live == 0 && !status.last_failure.empty())
      error.detail += "; last bootstrap failure: " + status.last_failure;
  }

  // --- reports
  void tell(const Event& event) {
    if (on_event) on_event(event);
  }

  void on_report(const Report& report) {
    log.write(report);
    if (const auto* c = std::get_if<PeerConnected>(&report)) tell(*c);
    if (const auto* d = std::get_if<PeerDisconnected>(&report)) tell(*d);
    if (const auto* b = std::get_if<BootstrapChanged>(&report)) tell(BootstrapEvent{b->status});
    if (const auto* i = std::get_if<PeerIdentified>(&report); i && host)
      if (const auto info = host->node().info(i->peer))
        tell(IdentifiedEvent{i->peer, info->agent, info->protocols, i->pushed});
  }
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::open(asio::io_context& loop, SessionConfig config,
                                               Log& log, OnEvent on_event) {
  auto state = std::make_unique<State>(loop, std::move(config), log, std::move(on_event));
  ASSIGN_OR_RETURN(state->host, Host::create(loop, host_config(state->config)));
  State& s = *state;
  s.started = s.host->now();
  s.host->observe([&s](const Report& report) { s.on_report(report); });
  RETURN_IF_ERROR(s.open_metrics());
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

void Session::run(Command command, Duration limit, Done done) {
  asio::co_spawn(state_->loop,
                 state_->run(std::move(command.action), command.timeout.value_or(limit),
                             command.trace, std::move(done)),
                 [](const std::exception_ptr& error) {
                   if (error) std::rethrow_exception(error);
                 });
}

Result<Answer> Session::ask(const CommandAction& question) const {
  if (!state_->host) return std::unexpected(closed());
  const State& s = *state_;
  if (const auto* c = std::get_if<NetworkCommand>(&question)) return s.at_once(*c);
  if (const auto* c = std::get_if<StatsCommand>(&question)) return s.at_once(*c);
  if (const auto* c = std::get_if<WhyCommand>(&question)) return s.at_once(*c);
  if (const auto* c = std::get_if<IdCommand>(&question)) return s.at_once(*c);
  return fail(Errc::invalid, "only network, stats, why and id are answered here");
}

ReadyEvent Session::ready() const {
  const State& s = *state_;
  ReadyEvent ready{s.host->id(), s.host->addrs(), s.config.data_dir, s.config.kad_protocol};
  if (s.metrics) ready.metrics = Multiaddr::tcp(s.metrics->at());
  return ready;
}

Words Session::known_words() const {
  std::set<std::string> words;
  if (!state_->host) return {};
  const Node& node = state_->host->node();
  for (const ConnectionInfo& info : node.connections()) words.insert(info.peer.text());
  for (const TableEntry& entry : node.kad().table()) words.insert(entry.contact.peer.text());
  for (const TopicView& view : node.gossip().topics()) words.insert(view.topic);
  return {words.begin(), words.end()};
}

void Session::leave() {
  state_->metrics.reset();
  if (!state_->host) return;
  state_->host->async_shutdown([this](const Result<void>&) { close(); });
}

void Session::close() {
  state_->metrics.reset();
  state_->host.reset();
}

}  // namespace kadmesh::kadnode
