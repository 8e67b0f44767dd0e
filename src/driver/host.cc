#include "driver/host.h"

#include <asio/dispatch.hpp>
#include <map>

#include "driver/driver.h"
#include "driver/gossip_trace_file.h"
#include "driver/machine.h"
#include "driver/stream_state.h"
#include "transport/multistream.h"

namespace kadmesh {
namespace {

KeyPair new_identity() {
  Rng rng(machine_entropy());
  return KeyPair::make(rng);
}

Result<std::vector<Endpoint>> endpoints(const std::vector<Multiaddr>& addrs) {
  std::vector<Endpoint> all;
  for (const Multiaddr& addr : addrs) {
    const auto endpoint = addr.tcp_endpoint();
    if (!endpoint)
      return fail(Errc::invalid, addr.text() + ": only /ip4 and /ip6 with /tcp can be listened on");
    all.push_back(*endpoint);
  }
  return all;
}

// Without Noise anybody is whoever they say, and what a simulation has verified is its own.
Result<void> check_secure(const NodeConfig& config) {
  if (config.swarm.security == Security::noise && !config.signatures && !config.gossip.signatures)
    return {};
  return fail(Errc::invalid,
              "a host has Noise and verifies all itself; the rest is a simulation's");
}

}  // namespace

struct Host::State : std::enable_shared_from_this<Host::State> {
  State(asio::io_context& loop, const KeyPair& identity, NodeConfig config,
        std::unique_ptr<Store> store, std::optional<Recorder> recorder)
      : driver(
            loop, identity, std::move(config), std::move(store),
            [this](Report report) { on_report(std::move(report)); }, std::move(recorder)) {}

  // --- operations
  // The handler must be waiting before the turn settles: an operation may end at once.
  void begin(Operation operation, Duration limit, Handler<OpReport>& done, Slot slot,
             OnStep& on_step) {
    std::visit(
        [&](auto& begun) {
          begun.deadline = after(driver.now().mono, limit);
          if constexpr (requires { begun.walk; }) begun.walk.trace = on_step != nullptr;
          driver.turn(std::move(begun), [&](OpId op) {
            if (on_step) watched.emplace(op, std::move(on_step));
            await(op, done, slot);
          });
        },
        operation);
  }

  void await(OpId op, Handler<OpReport>& done, Slot slot) {
    waiting.emplace(op, std::move(done));
    if (slot.is_connected())
      slot.assign([weak = weak_from_this(), op](asio::cancellation_type) {
        if (const auto state = weak.lock()) state->driver.turn(input::Cancel{op});
      });
  }

  void shut_down(Handler<void> done) {
    shut.push_back(std::move(done));
    if (shut.size() > 1) return;
    driver.shutdown([this](bool all_taken) { on_shut(all_taken); });
  }

  void on_shut(bool all_taken) {
    if (all_taken) return tell_shut({});
    tell_shut(fail(Errc::timeout, "some peer did not take all that was written for it"));
  }

  void tell_shut(const Result<void>& result) {
    for (auto& done : std::exchange(shut, {})) done(result);
  }

  // --- reports of the node
  void on_report(Report report) {
    if (const auto* traced = std::get_if<GossipTraced>(&report); traced && trace)
      on_traced(*traced);
    if (observer) observer(report);
    if (auto* done = std::get_if<OpDone>(&report)) return on_done(std::move(*done));
    if (auto* message = std::get_if<MessageDelivered>(&report))
      return on_message(message->delivery);
    if (auto* asked = std::get_if<MessageToValidate>(&report))
      return on_validate(asked->validation);
    if (auto* parts = std::get_if<PartsArrived>(&report)) return tell(on_parts, parts->parts);
    if (auto* wanted = std::get_if<PartsWanted>(&report)) return tell(on_offer, wanted->offer);
    if (auto* kept = std::get_if<MessageToKeep>(&report)) return on_keep(std::move(kept->message));
    if (auto* asked = std::get_if<BackfillWanted>(&report)) return on_question(asked->question);
    if (auto* stream = std::get_if<StreamIncoming>(&report)) return on_stream(*stream);
    if (auto* event = std::get_if<StreamEvent>(&report)) return on_stream_event(*event);
    if (auto* step = std::get_if<StepTaken>(&report)) return on_step(std::move(*step));
    if (auto* failed = std::get_if<ListenFailed>(&report)) listen_error = failed->cause;
  }

  void on_traced(const GossipTraced& traced) {
    const auto written = trace->write(traced);
    if (!written && observer)
      observer(Notice{Notice::Level::warning, "driver", std::nullopt, written.error()});
  }

  template <class Told, class What>
  void tell(const std::function<void(const Told&)>& handler, What& what) {
    if (handler) later([handler, what = std::move(what)] { handler(what); });
  }

  void on_step(StepTaken taken) {
    const auto at = watched.find(taken.op);
    if (at == watched.end()) return;
    later([handler = at->second, step = std::move(taken.step)] { handler(step); });
  }

  void on_done(OpDone done) {
    watched.erase(done.op);
    const auto at = waiting.find(done.op);
    if (at == waiting.end()) return;
    auto handler = std::move(at->second);
    waiting.erase(at);
    handler(std::move(done.result));
  }

  void on_message(const GossipDeliver& delivery) {
    const auto at = topics.find(delivery.message.topic);
    if (at == topics.end() || !at->second) return;
    later([handler = at->second, delivery] { handler(delivery); });
  }

  void on_validate(const GossipValidate& validation) {
    if (!validator) return;
    later([handler = validator, validation] { handler(validation); });
  }

  void on_keep(GossipKeep message) {
    if (!keeper) return;
    later([handler = keeper, message = std::move(message)] { handler(message); });
  }

  void on_question(const BackfillAsked& question) {
    if (!teller) return;
    later([handler = teller, question] { handler(question); });
  }

  void on_stream(const StreamIncoming& incoming) {
    const auto at = served.find(incoming.protocol);
    if (at == served.end()) return;
    later([handler = at->second,
           stream = own(incoming.key, incoming.peer, incoming.protocol)]() mutable {
      handler(std::move(stream));
    });
  }

  // Users' handlers never run inside a turn, nor after their host.
  template <class Call>
  void later(Call call) {
    asio::post(driver.loop(), [weak = weak_from_this(), call = std::move(call)]() mutable {
      if (!weak.expired()) call();
    });
  }

  void on_stream_event(const StreamEvent& event) {
    const StreamKey key = std::visit([](const auto& about) { return about.key; }, event);
    const auto at = streams.find(key);
    if (at == streams.end()) return;
    if (const auto stream = at->second.lock()) stream->on_event(event);
    if (at->second.expired()) streams.erase(key);
  }

  // Entries of streams that users have let go are swept when the map has doubled.
  Stream own(StreamKey key, const PeerId& peer, const std::string& protocol) {
    if (streams.size() >= sweep_at) {
      std::erase_if(streams, [](const auto& entry) { return entry.second.expired(); });
      sweep_at = 2 * streams.size() + kSweepFirst;
    }
    auto state = std::make_shared<Stream::State>(driver, key, peer, protocol);
    streams.insert_or_assign(key, state);
    return Stream(std::move(state));
  }

  static constexpr std::size_t kSweepFirst = 64;

  std::optional<Error> listen_error;
  std::map<OpId, Handler<OpReport>> waiting;
  std::map<OpId, OnStep> watched;  // of those waiting
  std::map<Topic, OnMessage> topics;
  std::map<std::string, OnStream> served;
  std::map<StreamKey, std::weak_ptr<Stream::State>> streams;
  std::size_t sweep_at = kSweepFirst;
  OnValidate validator;
  OnParts on_parts;
  OnOffer on_offer;
  OnKeep keeper;
  OnBackfill teller;
  std::vector<Handler<void>> shut;  // wait for the last connection
  OnReport observer;
  std::unique_ptr<GossipTraceFile> trace;  // null: none is written
  Driver driver;                           // last: it reports into the members above
};

Host::Host(std::shared_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Host>> Host::create(asio::io_context& loop, HostConfig config) {
  ASSIGN_OR_RETURN(const auto listen, endpoints(config.listen));
  RETURN_IF_ERROR(check(config.node));
  RETURN_IF_ERROR(check_secure(config.node));
  std::optional<Recorder> recorder;
  if (config.record) {
    ASSIGN_OR_RETURN(recorder, recorder_for(*config.record, config.node));
    if (recorder->redacts()) config.node.swarm.noise_luck = machine_entropy();
  }
  const KeyPair identity = config.identity ? *config.identity : new_identity();
  std::unique_ptr<GossipTraceFile> trace;
  if (config.gossip_trace) {
    auto made = GossipTraceFile::make(*config.gossip_trace, identity.peer_id());
    if (!made && config.record) unlink_recording(*config.record);
    ASSIGN_OR_RETURN(trace, std::move(made));
    config.node.gossip.trace = true;
  }
  auto state = std::make_shared<State>(loop, identity, std::move(config.node),
                                       std::move(config.store), std::move(recorder));
  state->trace = std::move(trace);
  state->driver.set_keylog(config.keylog);
  std::error_code ignored;
  for (const Endpoint& at : listen) {
    state->driver.turn(input::Listen{at});
    if (!state->listen_error) continue;
    if (config.record) unlink_recording(*config.record);
    if (config.gossip_trace) std::filesystem::remove(*config.gossip_trace, ignored);
    return std::unexpected(*state->listen_error);
  }
  return std::unique_ptr<Host>(new Host(std::move(state)));
}

// Users' streams end by our doing; the node would tell them of a reset.
Host::~Host() {
  for (const auto& [key, stream] : state_->streams)
    if (const auto alive = stream.lock()) alive->orphan();
  state_->driver.turn(input::Shutdown{});
  state_->tell_shut(fail(Errc::closed, "the host went before its connections had closed"));
}

const PeerId& Host::id() const { return node().identity().peer_id(); }
std::vector<Multiaddr> Host::addrs() const { return node().listen_addrs(); }
asio::any_io_executor Host::get_executor() { return state_->driver.loop().get_executor(); }
const Node& Host::node() const { return state_->driver.node(); }
Now Host::now() const { return state_->driver.now(); }
std::size_t Host::stored_rows() const { return state_->driver.storage().rows(); }
std::size_t Host::stored_bytes() const { return state_->driver.storage().bytes(); }
void Host::observe(OnReport on_report) { state_->observer = std::move(on_report); }

// The host may be gone when the loop comes to it, or when the user cancels.
void Host::start(Operation operation, Duration limit, Handler<OpReport> done, Slot slot,
                 OnStep on_step) {
  asio::dispatch(state_->driver.loop(),
                 [weak = std::weak_ptr(state_), operation = std::move(operation), limit,
                  done = std::move(done), slot, on_step = std::move(on_step)]() mutable {
                   if (const auto state = weak.lock())
                     return state->begin(std::move(operation), limit, done, slot, on_step);
                   done(fail(Errc::closed, "the host is gone"));
                 });
}

void Host::start_open(const PeerId& peer, std::string protocol, Bytes first, Duration limit,
                      Handler<Stream> done, Slot slot) {
  start(
      input::OpenStream{peer, {std::move(protocol)}, std::move(first), {}}, limit,
      [state = state_.get(), done = std::move(done)](Result<OpReport> result) mutable {
        if (!result) return done(std::unexpected(std::move(result).error()));
        const auto& opened = std::get<StreamReport>(*result);
        done(state->own(opened.key, opened.peer, opened.protocol));
      },
      slot);
}

void Host::start_shutdown(Handler<void> done) {
  asio::dispatch(state_->driver.loop(),
                 [weak = std::weak_ptr(state_), done = std::move(done)]() mutable {
                   if (const auto state = weak.lock()) return state->shut_down(std::move(done));
                   done(fail(Errc::closed, "the host is gone"));
                 });
}

void Host::set_reachable(bool reachable) { state_->driver.turn(input::Reachability{reachable}); }

void Host::disconnect(const PeerId& peer) { state_->driver.turn(input::Disconnect{peer}); }

Result<void> Host::subscribe(const Topic& topic, OnMessage on_message, PartialUse parts) {
  auto subscribed = state_->driver.turn(input::Subscribe{topic, parts});
  if (subscribed) state_->topics[topic] = std::move(on_message);
  return subscribed;
}

void Host::unsubscribe(const Topic& topic) {
  state_->topics.erase(topic);
  state_->driver.turn(input::Unsubscribe{topic});
}

Result<Receipt> Host::publish(const Topic& topic, Bytes data) {
  return state_->driver.turn(input::Publish{topic, std::move(data)});
}

Result<void> Host::set_application_score(const PeerId& peer, double score) {
  return state_->driver.turn(input::ScorePeer{peer, score});
}

void Host::set_partial(OnParts on_parts, OnOffer on_offer) {
  state_->on_parts = std::move(on_parts);
  state_->on_offer = std::move(on_offer);
}

Result<Sent> Host::send_partial(const PeerId& peer, PartialMessage parts) {
  return state_->driver.turn(input::SendPartial{peer, std::move(parts)});
}

void Host::set_validator(OnValidate on_validate) { state_->validator = std::move(on_validate); }

void Host::verdict(ValidationId id, Verdict verdict) {
  state_->driver.turn(input::Judge{id, verdict});
}

void Host::set_backfill(OnKeep on_keep, OnBackfill on_question) {
  state_->keeper = std::move(on_keep);
  state_->teller = std::move(on_question);
}

Result<void> Host::tell_backfill(BackfillId id, Result<BackfillPage> page) {
  return state_->driver.turn(input::TellBackfill{id, std::move(page)});
}

void Host::serve(const std::string& protocol, OnStream on_stream) {
  state_->served[protocol] = std::move(on_stream);
  state_->driver.turn(input::Serve{protocol});
}

void Host::stop_serving(const std::string& protocol) {
  state_->served.erase(protocol);
  state_->driver.turn(input::StopServing{protocol});
}

}  // namespace kadmesh
