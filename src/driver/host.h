// A libp2p node for programs: what most users hold.
//
//   asio::io_context io;
//   auto host = kadmesh::Host::create(io, {});
//   (*host)->serve("/echo/1.0.0", [](kadmesh::Stream stream) { ... });
//   io.run();
//
// Operations named async_* take an Asio completion token: a callback, use_future, use_awaitable.
// Each completes exactly once, with a Result, by its time limit; cancelling it (Asio's cancellation
// slots) cancels everything under it. They may be started from any thread. All other calls belong
// to the thread that runs the io_context. Handlers run on their associated executor, by default
// the io_context, and never inside the call that started them.
//
// Streams: driver/stream.h. For a driver of your own there is node/node.h.
#pragma once

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "driver/capture_file.h"
#include "driver/stream.h"
#include "node/input.h"
#include "store/store.h"

namespace kadmesh {

struct HostConfig {
  std::optional<KeyPair> identity;  // a new one unless given
  std::vector<Multiaddr> listen;    // /ip4|ip6/.../tcp/...; port 0 is any; none: dial only
  std::unique_ptr<Store> store;     // in memory unless given
  NodeConfig node;
  std::FILE* keylog = nullptr;  // secrets for decrypting a capture; owned by the caller
  // All that goes into the node, written down for a replay (replay/capture.h): holds secrets.
  std::optional<RecordTo> record;
  // All that happens in GossipSub, in a new file (driver/gossip_trace_file.h).
  std::optional<std::filesystem::path> gossip_trace;
};

// Whether T is one of a variant's alternatives.
template <class T, class Variant>
inline constexpr bool kAlternative = false;
template <class T, class... Types>
inline constexpr bool kAlternative<T, std::variant<Types...>> = (std::is_same_v<T, Types> || ...);

class Host {
 public:
  template <class T>
  using Handler = std::move_only_function<void(Result<T>)>;

  // Errc::invalid for an address that cannot be listened on, and for a configuration that cannot
  // hold (check(NodeConfig)) or is a simulation's (SwarmConfig::security, signatures); Errc::io
  // when the socket, or a file to write to, says no; Errc::unsupported for a configuration that
  // cannot be recorded.
  // `loop` outlives the host and is run by one thread.
  static Result<std::unique_ptr<Host>> create(asio::io_context& loop, HostConfig config);
  // Ends every operation and stream with Errc::closed, and closes every connection; what was not
  // yet written is lost, unless async_shutdown() came first.
  ~Host();

  // The same, and completes once every peer has taken what was written for it. Errc::timeout: some
  // had not within seconds, and their connections were dropped. Nothing can be begun any more.
  template <class Token>
  auto async_shutdown(Token&& token) {
    return initiate<void>([this](Handler<void> done, Slot) { start_shutdown(std::move(done)); },
                          token);
  }

  const PeerId& id() const;
  // With /p2p/<id>; real ports.
  std::vector<Multiaddr> addrs() const;
  asio::any_io_executor get_executor();

  // --- connections: Result<ConnectReport>, Result<PingReport>, Result<ReadyReport>
  // An address with or without /p2p. Success only when the peer has authenticated.
  template <class Token>
  auto async_connect(Multiaddr addr, Token&& token, Duration limit = kDefaultDeadline) {
    return operation<ConnectReport>(limit, token, input::ConnectAddr{std::move(addr), {}});
  }
  // A peer whose addresses are known here or in the DHT.
  template <class Token>
  auto async_connect(PeerId peer, Token&& token, Duration limit = kDefaultDeadline) {
    return operation<ConnectReport>(limit, token, input::ConnectPeer{peer, {}});
  }
  template <class Token>
  auto async_ping(PeerId peer, Token&& token, Duration limit = kDefaultDeadline) {
    return operation<PingReport>(limit, token, input::Ping{peer, {}});
  }
  // Completes once `live` kad-capable peers are connected.
  template <class Token>
  auto async_ready(std::size_t live, Token&& token, Duration limit = kDefaultDeadline) {
    return operation<ReadyReport>(limit, token, input::AwaitReady{live, {}});
  }
  void disconnect(const PeerId& peer);
  // Others can dial us from outside, or cannot: of meaning in KadMode::automatic.
  void set_reachable(bool reachable);

  // --- the DHT: Result<PutReport> and so on (kad/report.h). Keys are bytes such as "/v/name". What
  // they end with: kad/kad.h. `on_step`: sees each step of the operation as it is taken, before the
  // end. `quorum`: WalkOptions.
  using OnStep = std::function<void(const WalkStep&)>;
  template <class Token>
  auto async_put(Bytes key, Bytes value, Token&& token, Duration limit = kDefaultDeadline,
                 OnStep on_step = nullptr) {
    return operation<PutReport>(limit, token, input::Put{std::move(key), std::move(value), {}},
                                std::move(on_step));
  }
  template <class Token>
  auto async_get(Bytes key, Token&& token, Duration limit = kDefaultDeadline,
                 OnStep on_step = nullptr, std::size_t quorum = 0) {
    return operation<GetReport>(limit, token,
                                input::Get{std::move(key), {}, WalkOptions{.quorum = quorum}},
                                std::move(on_step));
  }
  template <class Token>
  auto async_provide(Bytes multihash, Token&& token, Duration limit = kDefaultDeadline,
                     OnStep on_step = nullptr) {
    return operation<ProvideReport>(limit, token, input::Provide{std::move(multihash), {}},
                                    std::move(on_step));
  }
  template <class Token>
  auto async_find_providers(Bytes multihash, std::size_t most, Token&& token,
                            Duration limit = kDefaultDeadline, OnStep on_step = nullptr) {
    return operation<ProvidersReport>(
        limit, token, input::FindProviders{std::move(multihash), most, {}}, std::move(on_step));
  }
  template <class Token>
  auto async_find_peer(PeerId peer, Token&& token, Duration limit = kDefaultDeadline,
                       OnStep on_step = nullptr) {
    return operation<FindReport>(limit, token, input::FindPeer{peer, {}}, std::move(on_step));
  }
  template <class Token>
  auto async_find_closest(Bytes target, Token&& token, Duration limit = kDefaultDeadline,
                          OnStep on_step = nullptr) {
    return operation<ClosestReport>(limit, token, input::FindClosest{std::move(target), {}},
                                    std::move(on_step));
  }

  // --- pub/sub
  using OnMessage = std::function<void(const GossipDeliver&)>;
  // Errc::invalid for a name that peers would not take.
  Result<void> subscribe(const Topic& topic, OnMessage on_message, PartialUse parts = {});
  void unsubscribe(const Topic& topic);
  // A receipt per peer. Errc::no_peers when nobody connected subscribes, Errc::limit for more data
  // than GossipConfig::most_message, Errc::invalid for a name as above.
  Result<Receipt> publish(const Topic& topic, Bytes data);
  // What your application thinks of a peer: P5 of its score. Errc::invalid, Errc::limit:
  // gossip/score.h.
  Result<void> set_application_score(const PeerId& peer, double score);
  // Of partial messages (GossipConfig::partial_messages), as in gossip/gossip.h: what peers send,
  // and whom a heartbeat would have us tell.
  using OnParts = std::function<void(const GossipPart&)>;
  using OnOffer = std::function<void(const GossipOffer&)>;
  void set_partial(OnParts on_parts, OnOffer on_offer);
  Result<Sent> send_partial(const PeerId& peer, PartialMessage parts);
  // With manual validation (GossipConfig) every message of a subscribed topic asks first, and is
  // ignored if no verdict() comes before its deadline.
  using OnValidate = std::function<void(const GossipValidate&)>;
  void set_validator(OnValidate on_validate);
  void verdict(ValidationId id, Verdict verdict);
  // What the peer has of a topic that is subscribed to (gossip/backfill.h): delivered to its
  // OnMessage with a mark, each message once. Completes with Result<BackfillReport>.
  template <class Token>
  auto async_backfill(PeerId peer, Topic topic, Token&& token, Duration limit = kDefaultDeadline,
                      BackfillRange range = {}) {
    return operation<BackfillReport>(limit, token,
                                     input::Backfill{peer, std::move(topic), {}, std::move(range)});
  }
  // A store of one's own for what topics say, with Keep::by_application: hears of every message to
  // keep, and answers each question with tell_backfill() before its deadline.
  using OnKeep = std::function<void(const GossipKeep&)>;
  using OnBackfill = std::function<void(const BackfillAsked&)>;
  void set_backfill(OnKeep on_keep, OnBackfill on_question);
  // Errc::limit: a page that is more than was asked for; Errc::not_found: nobody waits for it.
  Result<void> tell_backfill(BackfillId id, Result<BackfillPage> page);

  // --- streams of your own protocols. A name begins with '/', is one line and has at most 1,023
  // bytes: serving any other aborts, opening one is Errc::invalid.
  using OnStream = std::function<void(Stream)>;
  void serve(const std::string& protocol, OnStream on_stream);
  void stop_serving(const std::string& protocol);
  // Connects if need be. Completes with Result<Stream>.
  template <class Token>
  auto async_open_stream(PeerId peer, std::string protocol, Token&& token,
                         Duration limit = kDefaultDeadline) {
    return async_open_stream(peer, std::move(protocol), Bytes(), std::forward<Token>(token), limit);
  }
  // `first` is sent before the protocol is agreed, so its answer can be read once this completes,
  // three round trips after dialing a new peer. More than kMostFirstBytes is Errc::limit.
  template <class Token>
  auto async_open_stream(PeerId peer, std::string protocol, Bytes first, Token&& token,
                         Duration limit = kDefaultDeadline) {
    return initiate<Stream>(
        [this, peer, protocol = std::move(protocol), first = std::move(first), limit](
            Handler<Stream> done, Slot slot) mutable {
          start_open(peer, std::move(protocol), std::move(first), limit, std::move(done), slot);
        },
        token);
  }

  // --- questions
  const Node& node() const;
  Now now() const;
  // What the store held after its latest transaction; bytes of keys, members and values.
  std::size_t stored_rows() const;
  std::size_t stored_bytes() const;
  // Sees every report of the node before it is acted on: for logs and user interfaces.
  using OnReport = std::function<void(const Report&)>;
  void observe(OnReport on_report);

 private:
  struct State;
  using Slot = asio::cancellation_slot;

  explicit Host(std::shared_ptr<State> state);

  // Whose deadline is worked out where it begins.
  void start(Operation operation, Duration limit, Handler<OpReport> done, Slot slot,
             OnStep on_step = nullptr);
  void start_open(const PeerId& peer, std::string protocol, Bytes first, Duration limit,
                  Handler<Stream> done, Slot slot);
  void start_shutdown(Handler<void> done);

  template <class T, class Start, class Token>
  auto initiate(Start begin, Token& token) {
    return asio::async_initiate<Token, void(Result<T>)>(
        [this](auto handler, auto&& run) {
          const auto slot = asio::get_associated_cancellation_slot(handler);
          auto executor = asio::get_associated_executor(handler, get_executor());
          run(
              [handler = std::move(handler), executor](Result<T> result) mutable {
                asio::post(executor,
                           [handler = std::move(handler), result = std::move(result)]() mutable {
                             std::move(handler)(std::move(result));
                           });
              },
              slot);
        },
        token, std::move(begin));
  }

  // What one operation of the node reports, as its own type.
  template <class T, class Token>
  auto operation(Duration limit, Token& token, Operation begun, OnStep on_step = nullptr) {
    return initiate<T>(
        [this, limit, begun = std::move(begun), on_step = std::move(on_step)](Handler<T> done,
                                                                              Slot slot) mutable {
          start(
              std::move(begun), limit,
              [done = std::move(done)](Result<OpReport> result) mutable {
                done(result ? Result<T>(take<T>(*std::move(result)))
                            : std::unexpected(std::move(result).error()));
              },
              slot, std::move(on_step));
        },
        token);
  }

  template <class T>
  static T take(OpReport report) {
    if constexpr (kAlternative<T, OpReport>)
      return std::get<T>(std::move(report));
    else
      return std::get<T>(std::get<KadReport>(std::move(report)));
  }

  std::shared_ptr<State> state_;
};

}  // namespace kadmesh
