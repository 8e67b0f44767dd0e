// kadmesh's own test peer: the Host behind the line protocol of PROTOCOL.md.
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <iterator>

#include "options.h"
#include "verbs.h"

namespace kadmesh::peer {
namespace {

using asio::use_awaitable;

asio::awaitable<void> answer(Host& host, const Verb& verb, Json request) {
  Json line{{"id", request.at("id")}, {"ok", true}};
  // Named, all of them: g++ 12 destroys temporaries of a co_await expression twice.
  Request asked{host, std::move(request)};
  try {
    asio::awaitable<Json> running = verb(std::move(asked));
    const Json fields = co_await std::move(running);
    line.update(fields);
  } catch (const std::exception& error) {
    line["ok"] = false;
    line["error"] = error.what();
  }
  say(line);
}

void take(Host& host, const Verbs& verbs, const std::string& text) {
  Json request = Json::parse(text);
  if (request.at("cmd") == "quit") {
    say({{"id", request.at("id")}, {"ok", true}});
    std::exit(0);
  }
  const auto verb = verbs.find(request.at("cmd").get<std::string>());
  if (verb == verbs.end())
    return say({{"id", request.at("id")}, {"ok", false}, {"error", "no such verb"}});
  asio::co_spawn(host.get_executor(), answer(host, verb->second, std::move(request)),
                 [](std::exception_ptr) {});
}

asio::awaitable<void> read_requests(Host& host, Verbs verbs) {
  asio::posix::stream_descriptor in(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
  std::string buffer;
  for (;;) {
    const std::size_t size =
        co_await asio::async_read_until(in, asio::dynamic_buffer(buffer), '\n', use_awaitable);
    const std::string line = buffer.substr(0, size - 1);
    buffer.erase(0, size);
    take(host, verbs, line);
  }
}

void on_report(const Host& host, const Report& report) {
  if (const auto* c = std::get_if<PeerConnected>(&report))
    say({{"event", "connected"}, {"peer", c->peer.text()}, {"inbound", !c->opened_by_us}});
  if (const auto* d = std::get_if<PeerDisconnected>(&report)) {
    std::fprintf(stderr, "lost %s: %s\n", d->peer.text().c_str(), to_string(d->cause).c_str());
    say({{"event", "disconnected"}, {"peer", d->peer.text()}});
  }
  if (const auto* i = std::get_if<PeerIdentified>(&report))
    if (const auto info = host.node().info(i->peer))
      say({{"event", i->pushed ? "pushed" : "identified"},
           {"peer", i->peer.text()},
           {"protocols", info->protocols}});
  if (const auto* n = std::get_if<Notice>(&report))
    std::fprintf(stderr, "%s %s %s\n", std::string(n->area).c_str(),
                 n->peer ? n->peer->text().c_str() : "-", to_string(n->what).c_str());
}

void say_ready(const Host& host) {
  Json addrs = Json::array();
  for (const Multiaddr& addr : host.addrs()) addrs.push_back(addr.without_peer().text());
  say({{"event", "ready"},
       {"stack", "kadmesh"},
       {"version", "0.1.0"},
       {"id", host.id().text()},
       {"addrs", addrs}});
}

}  // namespace

// A peer's text may hold any bytes; JSON may not.
void say(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

int run(Settings settings) {
  asio::io_context loop(1);
  auto created = Host::create(loop, std::move(settings.host));
  if (!created) {
    std::fprintf(stderr, "%s\n", to_string(created.error()).c_str());
    return 1;
  }
  Host& host = **created;
  host.observe([&](const Report& report) { on_report(host, report); });
  serve_test_protocols(host);
  hold_messages(host, settings.gossip_hold);
  Verbs verbs;
  add_connection_verbs(verbs);
  add_stream_verbs(verbs);
  add_kad_verbs(verbs);
  add_ipns_verbs(verbs);
  add_gossip_verbs(verbs);
  say_ready(host);
  asio::co_spawn(loop, read_requests(host, std::move(verbs)),
                 [&](std::exception_ptr) { loop.stop(); });
  asio::steady_timer end_of_life(loop, std::chrono::minutes(15));
  end_of_life.async_wait([&](const asio::error_code&) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace kadmesh::peer

int main(int argc, char** argv) {
  return kadmesh::peer::run(kadmesh::peer::parse_options(argc, argv));
}
