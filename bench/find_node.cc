// usage: find_node ADDR PEERS CONNECTIONS IN_FLIGHT fresh|reused [PROTOCOL]
// Asks one server FIND_NODE, about peers at random. First PEERS hosts that serve the DHT connect to
// it and stay: sixteen for each of its buckets from the farthest on, so that every stack has room
// for them. Then CONNECTIONS clients connect. Says when all are there; then, for each line of
// input, which is a number, asks that often: IN_FLIGHT at once on each connection, on a stream for
// each request (fresh: as rust, js and kadmesh ask) or on streams that are used again (as go does).
#include <iostream>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/framing.h"
#include "kad/key.h"
#include "kad/wire.h"
#include "loop_host.h"

namespace kadmesh::bench {
namespace {

constexpr unsigned kOfBucket = 16;
constexpr std::size_t kMostRead = 16 * 1024;

struct Load {
  std::string addr, protocol;
  std::size_t peers, connections, in_flight;
  bool fresh;
};

// --- who is in the server's table
// A key as far from the server as a bucket is.
KeyPair key_in(unsigned bucket, const KadId& server, Rng& luck) {
  for (;;) {
    KeyPair key = KeyPair::make(luck);
    if (common_prefix(KadId::of(key.peer_id()), server) == bucket) return key;
  }
}

class Neighbours {
 public:
  Neighbours(asio::io_context& loop, const Load& load) : loop_(loop), load_(load) {}

  void join(const PeerId& server) {
    Rng luck(1);
    for (unsigned n = 0; n < load_.peers; ++n) {
      HostConfig config = listening();
      config.identity = key_in(n / kOfBucket, KadId::of(server), luck);
      config.node.kad.protocol = load_.protocol;
      config.node.kad.seeds = {*Multiaddr::from_text(load_.addr)};
      Host& host = *hosts_.emplace_back(make_host(loop_, std::move(config)));
      finish<ReadyReport>(loop_, [&](auto done) { host.async_ready(1, std::move(done)); });
    }
  }

 private:
  asio::io_context& loop_;
  const Load& load_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

// --- who asks
struct Tally {
  std::size_t left = 0, under_way = 0;
  std::size_t answered = 0, contacts = 0;
};

Bytes question(Rng& luck) {
  KadMessage message;
  message.type = KadType::find_node;
  message.key = to_bytes(KeyPair::make(luck).peer_id().bytes());
  return frame(encode_request(message));
}

// Made once: a key takes longer than what is measured.
const std::vector<Bytes>& questions() {
  static const std::vector<Bytes> made = [] {
    Rng luck(2);
    std::vector<Bytes> all(1000);
    std::ranges::generate(all, [&] { return question(luck); });
    return all;
  }();
  return made;
}

// One request after another.
class Line {
 public:
  Line(Host& host, PeerId server, const Load& load, Tally& tally)
      : host_(host), server_(server), load_(load), tally_(tally) {}

  void ask() {
    if (tally_.left == 0) return;
    --tally_.left;
    ++tally_.under_way;
    question_ = questions()[tally_.left % questions().size()];
    stream_ ? write() : open();
  }

 private:
  void open() {
    host_.async_open_stream(server_, load_.protocol, question_, [this](Result<Stream> opened) {
      stream_.emplace(value(std::move(opened)));
      if (load_.fresh) stream_->finish();
      read();
    });
  }

  void write() {
    stream_->async_write_some(asio::buffer(question_),
                              [this](asio::error_code error, std::size_t count) {
                                if (error || count != question_.size())
                                  give_up("a request was not taken");
                                read();
                              });
  }

  void read() {
    stream_->async_read_some(asio::buffer(read_),
                             [this](asio::error_code error, std::size_t count) {
                               if (error) give_up("no answer: " + error.message());
                               ByteView bytes(read_.data(), count);
                               const auto answer = value(frames_.next(bytes));
                               answer ? on_answer(*answer) : read();
                             });
  }

  void on_answer(const Bytes& answer) {
    tally_.contacts += value(decode_kad(answer, {})).closer.size();
    ++tally_.answered;
    --tally_.under_way;
    if (load_.fresh) stream_.reset();
    ask();
  }

  Host& host_;
  PeerId server_;
  const Load& load_;
  Tally& tally_;
  Bytes question_;
  std::optional<Stream> stream_;
  std::array<std::uint8_t, kMostRead> read_{};
  FrameReader frames_{kMostReply};
};

class Clients {
 public:
  Clients(asio::io_context& loop, const Load& load) : loop_(loop), load_(load) {}

  PeerId join() {
    std::optional<PeerId> server;
    for (std::size_t n = 0; n < load_.connections; ++n) {
      HostConfig config;
      config.node.kad.mode = KadMode::client;
      config.node.kad.protocol = "/client/kad/1.0.0";  // walks of its own would be load
      config.node.swarm.idle_timeout = 5min;
      Host& host = *hosts_.emplace_back(make_host(loop_, std::move(config)));
      server = connect(loop_, host, load_.addr);
      for (std::size_t i = 0; i < load_.in_flight; ++i)
        lines_.push_back(std::make_unique<Line>(host, *server, load_, tally_));
    }
    return value(server ? Result<PeerId>(*server) : fail(Errc::invalid, "no connections"));
  }

  void ask(std::size_t count) {
    tally_ = {.left = count};
    const double start = seconds();
    for (const auto& line : lines_) line->ask();
    run_until(loop_, [&] { return tally_.left == 0 && tally_.under_way == 0; });
    print({{"answered", static_cast<double>(tally_.answered)},
           {"contacts", static_cast<double>(tally_.contacts) / static_cast<double>(count)},
           {"seconds", seconds() - start}});
  }

 private:
  asio::io_context& loop_;
  const Load& load_;
  Tally tally_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Line>> lines_;
};

int run(const Load& load) {
  asio::io_context loop(1);
  Clients clients(loop, load);
  const PeerId server = clients.join();
  Neighbours neighbours(loop, load);
  neighbours.join(server);
  // Their own lookups, and whatever the server does about newcomers.
  loop.run_for(15s);
  print({{"peers", static_cast<double>(load.peers)}});
  for (std::size_t count = 0; std::cin >> count;) clients.ask(count);
  std::_Exit(0);
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  if (argc < 6)
    give_up("usage: find_node ADDR PEERS CONNECTIONS IN_FLIGHT fresh|reused [PROTOCOL]");
  return run({.addr = argv[1],
              .protocol = argc > 6 ? argv[6] : "/kadmesh/kad/1.0.0",
              .peers = argument(argc, argv, 2, 80),
              .connections = argument(argc, argv, 3, 8),
              .in_flight = argument(argc, argv, 4, 8),
              .fresh = std::string_view(argv[5]) == "fresh"});
}
