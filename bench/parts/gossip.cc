// RPCs, a message that is forwarded, and the heartbeat of a node with many peers that say nothing.
#include "gossip/gossip.h"

#include "base/framing.h"
#include "gossip/params.h"
#include "gossip/signed_message.h"
#include "gossip/wire.h"
#include "part.h"

namespace kadmesh::bench {
namespace {

using namespace gossip;

const Topic kTopic = "space";

GossipMessage message(std::uint64_t number) {
  Bytes seqno(8);
  for (std::size_t i = 0; i < 8; ++i) seqno[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return {peer(1), content(1024), std::move(seqno), kTopic};
}
Bytes unframed(ByteView framed) {
  FrameReader reader(kMostRpc);
  return reader.next(framed).value().value();
}

// Five messages of 1 KiB and fifty ids, as a busy peer sends them.
std::vector<Bytes> encoded_messages() {
  std::vector<Bytes> all;
  const KeyPair author = key(1);
  for (std::uint64_t n = 0; n < 5; ++n) all.push_back(encode_message(message(n), &author));
  return all;
}
Rpc busy_rpc(const std::vector<Bytes>& messages) {
  Rpc rpc;
  rpc.ihave.push_back({kTopic, std::vector<MessageId>(50, MessageId(46, 7))});
  for (const Bytes& each : messages) rpc.publish.push_back(each);
  return rpc;
}
void rpc_encode(benchmark::State& state) {
  const auto messages = encoded_messages();
  const Rpc rpc = busy_rpc(messages);
  for (auto _ : state) benchmark::DoNotOptimize(encode_rpc(rpc));
}
void rpc_decode(benchmark::State& state) {
  const auto messages = encoded_messages();
  const Rpc rpc = busy_rpc(messages);
  std::vector<Bytes> frames;
  for (const Bytes& framed : encode_rpc(rpc)) frames.push_back(unframed(framed));
  for (auto _ : state)
    for (const Bytes& each : frames) benchmark::DoNotOptimize(decode_rpc(each));
}
BENCHMARK(rpc_encode);
BENCHMARK(rpc_decode);

class Hub {
 public:
  explicit Hub(std::uint32_t peers, std::size_t d) : gossip_(identity_, config(d), turn()) {
    need(gossip_.subscribe(turn(), kTopic).has_value());
    for (std::uint32_t n = 2; n < peers + 2; ++n) peers_.push_back(peer(n));
    for (const PeerId& each : peers_) join(each);
    drain();
  }

  std::size_t forward(ByteView rpc) {
    gossip_.on_rpc(turn(), peers_.front(), rpc);
    return drain();
  }
  void beat() {
    now_ = std::max(now_, gossip_.next_timer());
    gossip_.on_timer(turn());
    drain();
  }
  void wait(Duration time) {
    for (const Time end = after(now_, time); gossip_.next_timer() <= end;) beat();
  }

 private:
  static GossipConfig config(std::size_t d) {
    GossipConfig config;
    config.d = config.d_lo = config.d_hi = d;
    return config;
  }
  Turn turn() { return {{now_, {}}, rng_}; }
  void join(const PeerId& who) {
    Rpc hello;
    hello.subscriptions.push_back({true, kTopic});
    hello.graft.push_back(kTopic);
    gossip_.on_connected(turn(), who, {}, true);
    gossip_.on_stream_open(turn(), who, gossip_.config().protocols.front());
    for (const Bytes& framed : encode_rpc(hello)) gossip_.on_rpc(turn(), who, unframed(framed));
  }
  // How many frames went out; all of them have been written.
  std::size_t drain() {
    std::size_t sent = 0;
    while (auto action = gossip_.poll()) {
      const auto* send = std::get_if<GossipSend>(&*action);
      if (!send) continue;
      gossip_.on_sent(turn(), send->peer, send->frame->size());
      ++sent;
    }
    return sent;
  }

  Time now_{1h};
  Rng rng_{1};
  KeyPair identity_ = key(0);
  Gossip gossip_;
  std::vector<PeerId> peers_;
};

// Signed messages, each of them new, from one of nine peers in the mesh to the others.
void forward(benchmark::State& state) {
  Hub hub(9, 9);
  const KeyPair author = key(1);
  std::uint64_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    hub.wait(number % 1'000 == 999 ? Duration(3s) : Duration::zero());
    const Bytes rpc = unframed(message_frame(encode_message(message(++number), &author)));
    state.ResumeTiming();
    need(hub.forward(rpc) == 8);
  }
}
// Whether it is the author's: nobody may forward what is not.
void floor_forward(benchmark::State& state) {
  const KeyPair author = key(1);
  const Bytes bytes = encode_message(message(1), &author);
  const auto signature = author.sign(bytes);
  for (auto _ : state) need(author.public_key().verify(bytes, signature));
}
BENCHMARK(forward);
BENCHMARK(floor_forward);

void idle_heartbeat(benchmark::State& state) {
  Hub hub(1'000, 6);
  for (auto _ : state) hub.beat();
}
BENCHMARK(idle_heartbeat);

}  // namespace
}  // namespace kadmesh::bench
