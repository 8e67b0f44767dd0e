// An echo protocol over libp2p. Without arguments it serves and prints its address; with one it
// connects there, says hello and prints what comes back.
#include <driver/host.h>

#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <iostream>

using asio::use_awaitable;
constexpr auto kProtocol = "/echo/1.0.0";

asio::awaitable<void> serve(kadmesh::Stream stream) {
  std::array<char, 4096> data;
  for (;;) {
    auto [end, count] = co_await stream.async_read_some(
        asio::buffer(data), asio::experimental::as_tuple(use_awaitable));
    if (end) break;
    co_await asio::async_write(stream, asio::buffer(data, count), use_awaitable);
  }
  stream.finish();
}

asio::awaitable<void> ask(kadmesh::Host& host, kadmesh::Multiaddr server) {
  auto connected = co_await host.async_connect(server, use_awaitable);
  if (!connected) co_return void(std::cerr << to_string(connected.error()) << '\n');
  auto stream = co_await host.async_open_stream(connected->peer, kProtocol, use_awaitable);
  if (!stream) co_return void(std::cerr << to_string(stream.error()) << '\n');
  std::string hello = "hello", answer;
  co_await asio::async_write(*stream, asio::buffer(hello), use_awaitable);
  stream->finish();
  co_await asio::async_read(*stream, asio::dynamic_buffer(answer), asio::transfer_exactly(5),
                            use_awaitable);
  std::cout << answer << std::endl;
}

int main(int argc, char** argv) {
  asio::io_context io(1);
  auto host = kadmesh::Host::create(
      io, {.listen = {*kadmesh::Multiaddr::from_text("/ip4/127.0.0.1/tcp/0")}});
  if (!host) return std::cerr << to_string(host.error()) << '\n', 1;
  (*host)->serve(kProtocol, [&](kadmesh::Stream stream) {
    asio::co_spawn(io, serve(std::move(stream)), asio::detached);
  });
  if (argc < 2) return std::cout << (*host)->addrs().front().text() << std::endl, io.run(), 0;
  const auto server = kadmesh::Multiaddr::from_text(argv[1]);
  if (!server) return std::cerr << to_string(server.error()) << '\n', 1;
  asio::co_spawn(io, ask(**host, *server), [&](std::exception_ptr) { io.stop(); });
  io.run();
}
