#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/multiple_exceptions.hpp>
#include <asio/read.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>

#include "verbs.h"

namespace kadmesh::peer {
namespace {

using asio::use_awaitable;
using asio::experimental::as_tuple;
using namespace asio::experimental::awaitable_operators;

constexpr std::size_t kChunk = 64 * 1024;
constexpr const char *kEcho = "/test/echo/1.0.0", *kSink = "/test/sink/1.0.0",
                     *kSource = "/test/source/1.0.0", *kReset = "/test/reset/1.0.0";

Bytes big_endian(std::uint64_t value) {
  Bytes out(8);
  for (std::size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  return out;
}

std::uint64_t from_big_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

// --- reading and writing whole amounts
// What we send has a prime period, so that a piece out of its place is seen. count <= kChunk
ByteView sent_at(std::uint64_t offset, std::size_t count) {
  constexpr std::size_t kPeriod = 251;
  static const Bytes kPattern = [] {
    Bytes bytes(kChunk + kPeriod);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(i % kPeriod);
    return bytes;
  }();
  return ByteView(kPattern).subspan(static_cast<std::size_t>(offset % kPeriod), count);
}

enum class Expect : std::uint8_t { anything, what_we_sent };

asio::awaitable<std::uint64_t> count_to_end(Stream& stream, Expect expect = Expect::anything) {
  Bytes chunk(kChunk);
  std::uint64_t count = 0;
  for (;;) {
    const auto [error, got] =
        co_await stream.async_read_some(asio::buffer(chunk), as_tuple(use_awaitable));
    if (error == asio::error::eof) co_return count;
    if (error) throw Failure("after " + std::to_string(count) + " bytes: " + error.message());
    if (expect == Expect::what_we_sent && !equal(ByteView(chunk).first(got), sent_at(count, got)))
      throw Failure("other bytes came back after " + std::to_string(count));
    count += got;
  }
}

asio::awaitable<void> send_and_finish(Stream& stream, std::uint64_t size) {
  for (std::uint64_t sent = 0; sent < size;) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size - sent, kChunk));
    const ByteView piece = sent_at(sent, part);
    co_await asio::async_write(stream, asio::buffer(piece.data(), part), use_awaitable);
    sent += part;
  }
  stream.finish();
}

// --- the serving side
asio::awaitable<void> serve_echo(Stream stream) {
  Bytes chunk(kChunk);
  for (;;) {
    const auto [error, got] =
        co_await stream.async_read_some(asio::buffer(chunk), as_tuple(use_awaitable));
    if (error == asio::error::eof) break;
    if (error) co_return;
    const auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(chunk.data(), got),
                                                           as_tuple(use_awaitable));
    if (failed) co_return;
  }
  stream.finish();
}

asio::awaitable<void> serve_sink(Stream stream) {
  const Bytes count = big_endian(co_await count_to_end(stream));
  co_await asio::async_write(stream, asio::buffer(count), use_awaitable);
  stream.finish();
}

asio::awaitable<void> serve_source(Stream stream) {
  Bytes size(8);
  co_await asio::async_read(stream, asio::buffer(size), use_awaitable);
  co_await send_and_finish(stream, from_big_endian(size));
}

asio::awaitable<void> serve_reset(Stream stream) {
  Bytes byte(1);
  co_await asio::async_read(stream, asio::buffer(byte), as_tuple(use_awaitable));
  stream.reset();
}

void serve(Host& host, const char* protocol, asio::awaitable<void> (*run)(Stream)) {
  host.serve(protocol, [&host, run](Stream stream) {
    // The other side may leave at any time; that is its business.
    asio::co_spawn(host.get_executor(), run(std::move(stream)), [](std::exception_ptr) {});
  });
}

// --- the asking side
asio::awaitable<Stream> open(const Request& r, const char* protocol) {
  co_return value_or_throw(
      co_await r.host.async_open_stream(r.peer(), protocol, use_awaitable, r.limit()));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

asio::awaitable<std::uint64_t> echo_bytes(Stream& stream, std::uint64_t size) {
  try {
    co_return co_await (send_and_finish(stream, size) &&
                        count_to_end(stream, Expect::what_we_sent));
  } catch (const asio::multiple_exceptions& both) {  // the first says more than that there are two
    std::rethrow_exception(both.first_exception());
  }
}

asio::awaitable<Json> echo(Request r) {
  Stream stream = co_await open(r, kEcho);
  const std::uint64_t back = co_await echo_bytes(stream, r.number("bytes"));
  if (back != r.number("bytes")) throw Failure("got back " + std::to_string(back) + " bytes");
  co_return Json{{"bytes", back}};
}

asio::awaitable<Json> duplex(Request r) {
  const auto start = std::chrono::steady_clock::now();
  Stream stream = co_await open(r, kEcho);
  const std::uint64_t back = co_await echo_bytes(stream, r.number("size"));
  co_return Json{{"bytes", back}, {"seconds", seconds_since(start)}};
}

asio::awaitable<Json> upload(Request r) {
  const auto start = std::chrono::steady_clock::now();
  Stream stream = co_await open(r, kSink);
  co_await send_and_finish(stream, r.number("size"));
  Bytes count(8);
  co_await asio::async_read(stream, asio::buffer(count), use_awaitable);
  co_return Json{{"bytes", from_big_endian(count)}, {"seconds", seconds_since(start)}};
}

asio::awaitable<Json> download(Request r) {
  const auto start = std::chrono::steady_clock::now();
  Stream stream = co_await open(r, kSource);
  const Bytes size = big_endian(r.number("size"));
  co_await asio::async_write(stream, asio::buffer(size), use_awaitable);
  stream.finish();
  const std::uint64_t count = co_await count_to_end(stream);
  co_return Json{{"bytes", count}, {"seconds", seconds_since(start)}};
}

asio::awaitable<void> exchange_8_bytes(Stream& stream) {
  Bytes out = big_endian(0x0102030405060708), in(8);
  co_await asio::async_write(stream, asio::buffer(out), use_awaitable);
  co_await asio::async_read(stream, asio::buffer(in), use_awaitable);
  if (in != out) throw Failure("other bytes came back");
}

asio::awaitable<Json> streams(Request r) {
  std::size_t done = 0;
  for (const std::size_t count = r.number("count"); done < count; ++done) {
    Stream stream = co_await open(r, kEcho);
    co_await exchange_8_bytes(stream);
    stream.finish();
    if (co_await count_to_end(stream) != 0) throw Failure("more bytes than were sent");
  }
  co_return Json{{"done", done}};
}

asio::awaitable<Json> streams_open(Request r) {
  std::vector<Stream> open_streams;
  for (std::size_t i = 0; i < r.number("count"); ++i) {
    open_streams.push_back(co_await open(r, kEcho));
    co_await exchange_8_bytes(open_streams.back());
  }
  for (Stream& stream : open_streams) stream.finish();
  for (Stream& stream : open_streams) co_await count_to_end(stream);
  co_return Json{{"done", open_streams.size()}};
}

asio::awaitable<Json> reset(Request r) {
  Stream stream = co_await open(r, kReset);
  Bytes byte(1);
  co_await asio::async_write(stream, asio::buffer(byte), use_awaitable);
  const auto [error, count] =
      co_await stream.async_read_some(asio::buffer(byte), as_tuple(use_awaitable));
  if (error == asio::error::eof) co_return Json{{"seen", "eof"}};
  if (error == asio::error::connection_reset) co_return Json{{"seen", "reset"}};
  throw Failure(error ? error.message() : "a byte came back");
}

asio::awaitable<Json> echo_serve(Request) { co_return Json::object(); }

}  // namespace

void serve_test_protocols(Host& host) {
  serve(host, kEcho, serve_echo);
  serve(host, kSink, serve_sink);
  serve(host, kSource, serve_source);
  serve(host, kReset, serve_reset);
}

void add_stream_verbs(Verbs& verbs) {
  verbs["echo_serve"] = echo_serve;
  verbs["echo"] = echo;
  verbs["duplex"] = duplex;
  verbs["upload"] = upload;
  verbs["download"] = download;
  verbs["streams"] = streams;
  verbs["streams_open"] = streams_open;
  verbs["reset"] = reset;
}

}  // namespace kadmesh::peer
