// Bytes of one stream through two sessions, without anything between them.
#include "transport/yamux.h"

#include <cstring>

#include "part.h"

namespace kadmesh::bench {
namespace {

class Pair {
 public:
  Pair() : id_(dialer_.open().value()) {}

  // As the connection moves them: at most one Noise message at a time.
  void carry(ByteView bytes) {
    while (!bytes.empty()) {
      bytes = bytes.subspan(dialer_.write(id_, bytes));
      pass(dialer_, answerer_);
      answerer_.consumed(now_, id_, answerer_.readable(id_).size());
      pass(answerer_, dialer_);
    }
  }

 private:
  static constexpr std::size_t kPiece = 65'519;
  void pass(YamuxSession& from, YamuxSession& to) {
    while (from.wants_output()) {
      piece_.clear();
      from.take_output(piece_, kPiece);
      need(to.on_bytes(now_, piece_).has_value());
    }
    while (to.poll()) {
    }
  }

  Time now_{1h};
  YamuxSession dialer_{Role::initiator, YamuxConfig(), now_};
  YamuxSession answerer_{Role::responder, YamuxConfig(), now_};
  StreamId id_;
  Bytes piece_;
};

void stream(benchmark::State& state) {
  Pair pair;
  const Bytes bytes = content(state);
  for (auto _ : state) pair.carry(bytes);
  count_bytes(state);
}
// Into the queue, out of it, and into what is read.
void floor_stream(benchmark::State& state) {
  const Bytes bytes = content(state);
  Bytes queue(bytes.size()), wire(bytes.size()), read(bytes.size());
  for (auto _ : state) {
    std::memcpy(queue.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(queue.data());
    std::memcpy(wire.data(), queue.data(), bytes.size());
    benchmark::DoNotOptimize(wire.data());
    std::memcpy(read.data(), wire.data(), bytes.size());
    benchmark::DoNotOptimize(read.data());
    benchmark::ClobberMemory();
  }
  count_bytes(state);
}
BENCHMARK(stream)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK(floor_stream)->Arg(64)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace kadmesh::bench
