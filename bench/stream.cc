// usage: stream [BYTES]
// One stream, one way, in pieces of 64 KiB as programs write them. Goodput and CPU of both sides.
#include <asio/write.hpp>

#include "loop_host.h"

namespace kadmesh::bench {
namespace {

constexpr const char* kProtocol = "/bench/sink/1.0.0";
constexpr std::size_t kPiece = 64 * 1024;

// Counts to the end, then says how many, in one byte for each that is asked.
class Sink : public std::enable_shared_from_this<Sink> {
 public:
  explicit Sink(Stream stream) : stream_(std::move(stream)), buffer_(kPiece) {}
  void run() {
    stream_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](asio::error_code error, std::size_t count) {
                              self->count_ += count;
                              error ? self->answer() : self->run();
                            });
  }

 private:
  void answer() {
    text_ = std::to_string(count_);
    asio::async_write(
        stream_, asio::buffer(text_),
        [self = shared_from_this()](asio::error_code, std::size_t) { self->stream_.finish(); });
  }

  Stream stream_;
  Bytes buffer_;
  std::size_t count_ = 0;
  std::string text_;
};

void serve(const OtherSide::Say& say) {
  asio::io_context loop(1);
  const auto host = make_host(loop, listening());
  host->serve(kProtocol, [](Stream stream) { std::make_shared<Sink>(std::move(stream))->run(); });
  say(host->addrs().front().text());
  loop.run();
}

class Source {
 public:
  Source(asio::io_context& loop, Stream stream)
      : loop_(loop), stream_(std::move(stream)), piece_(kPiece, 0x5a) {}

  // Until the other side has counted all of it.
  void send(std::size_t bytes) {
    left_ = bytes;
    write();
    run_until(loop_, [&] { return ended_; });
    if (answer_ != std::to_string(bytes)) give_up("the other side counted " + answer_);
  }

 private:
  void write() {
    if (left_ == 0) {
      stream_.finish();
      return read();
    }
    stream_.async_write_some(asio::buffer(piece_.data(), std::min(left_, piece_.size())),
                             [this](asio::error_code error, std::size_t count) {
                               if (error) give_up("write: " + error.message());
                               left_ -= count;
                               write();
                             });
  }

  void read() {
    stream_.async_read_some(
        asio::buffer(piece_), [this](asio::error_code error, std::size_t count) {
          answer_.append(piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(count));
          ended_ = bool(error);
          if (!ended_) read();
        });
  }

  asio::io_context& loop_;
  Stream stream_;
  Bytes piece_;
  std::size_t left_ = 0;
  std::string answer_;
  bool ended_ = false;
};

int run(std::size_t bytes) {
  OtherSide other(serve, Seats::apart);
  asio::io_context loop(1);
  const auto host = make_host(loop, {});
  const PeerId peer = connect(loop, *host, other.line());
  Source source(loop, finish<Stream>(loop, [&](auto done) {
                  host->async_open_stream(peer, kProtocol, std::move(done));
                }));
  const Stopwatch watch(other);
  source.send(bytes);
  print_transfer(watch, bytes);
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 1'000'000'000));
}
