#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <set>

#include "driver/metrics_listener.h"
#include "driver/metrics_text.h"
#include "driver/pipes.h"
#include "loop.h"

namespace kadmesh {
namespace {

using asio::ip::tcp;

// A reader of a listener, on the same loop.
struct Reader {
  tcp::socket socket;
  std::string answer{};
  bool ended = false;

  Reader(Loop& loop, const MetricsListener& at) : socket(loop.io) {
    socket.connect(to_asio(at.at()));
  }
  void ask(std::string_view request) { asio::write(socket, asio::buffer(request)); }
  void read() {
    asio::async_read(socket, asio::dynamic_buffer(answer),
                     [this](const asio::error_code&, std::size_t) { ended = true; });
  }
  std::string body() const { return answer.substr(answer.find("\r\n\r\n") + 4); }
};

struct Scraped : Loop {
  std::string text = "kadmesh_up_seconds 1.000\n";
  std::size_t scrapes = 0;
  std::unique_ptr<MetricsListener> listener = *MetricsListener::open(
      io, *loopback().tcp_endpoint(), [this] { return ++scrapes, text; }, 300ms);

  std::string get(std::string_view request) {
    Reader reader(*this, *listener);
    reader.ask(request);
    reader.read();
    CHECK(run_until([&] { return reader.ended; }));
    return reader.answer;
  }
};

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: a scrape gets the text, whole and once") {
  Scraped scraped;
  const std::string answer = scraped.get(kGet);
  CHECK(answer.starts_with("HTTP/1.0 200 OK\r\n"));
  CHECK(answer.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
  CHECK(answer.find("Content-Length: 25\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\nkadmesh_up_seconds 1.000\n"));
  CHECK(scraped.scrapes == 1);
  CHECK(scraped.listener->clients() == 0);
}

TEST_CASE("metrics: all else is not found, and makes no text") {
  Scraped scraped;
  for (const std::string_view request : {"GET / HTTP/1.0\r\n\r\n", "POST /metrics HTTP/1.0\r\n\r\n",
                                         "GET /metricsx HTTP/1.0\r\n\r\n", "\r\n\r\n"})
    CHECK(scraped.get(request).starts_with("HTTP/1.0 404"));
  CHECK(scraped.get("GET /metrics?x=1 HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
  CHECK(scraped.scrapes == 1);
}

TEST_CASE("metrics: a reader that sleeps stops nobody, and is dropped in time") {
  Scraped scraped;
  scraped.text.assign(std::size_t{64} * 1024 * 1024, 'x');  // more than any socket takes at once
  Reader sleeper(scraped, *scraped.listener);
  sleeper.ask(kGet);
  REQUIRE(scraped.run_until([&] { return scraped.scrapes == 1; }));
  scraped.text = "short\n";
  CHECK(scraped.get(kGet).ends_with("short\n"));  // somebody else, meanwhile
  CHECK(scraped.listener->clients() == 1);
  CHECK(scraped.run_until([&] { return scraped.listener->clients() == 0; }));
}

TEST_CASE("metrics: who asks for nothing, or for too much, is dropped") {
  Scraped scraped;
  Reader silent(scraped, *scraped.listener), talker(scraped, *scraped.listener);
  talker.ask(std::string(MetricsListener::kMostRequest, 'x'));
  talker.read();
  CHECK(scraped.run_until([&] { return talker.ended; }));
  CHECK(talker.answer.empty());
  CHECK(scraped.listener->clients() == 1);
  CHECK(scraped.run_until([&] { return scraped.listener->clients() == 0; }));
}

TEST_CASE("metrics: so many at a time are served, one more is turned away") {
  Scraped scraped;
  std::vector<std::unique_ptr<Reader>> readers;
  for (std::size_t i = 0; i < MetricsListener::kMostClients; ++i)
    readers.push_back(std::make_unique<Reader>(scraped, *scraped.listener));
  REQUIRE(scraped.run_until(
      [&] { return scraped.listener->clients() == MetricsListener::kMostClients; }));
  CHECK(scraped.get(kGet).empty());
  readers.pop_back();
  REQUIRE(scraped.run_until(
      [&] { return scraped.listener->clients() < MetricsListener::kMostClients; }));
  CHECK(scraped.get(kGet).starts_with("HTTP/1.0 200"));
}

TEST_CASE("metrics: a listener that goes takes its readers with it, and asks for no text") {
  Scraped scraped;
  Reader reader(scraped, *scraped.listener);
  REQUIRE(scraped.run_until([&] { return scraped.listener->clients() == 1; }));
  reader.ask(kGet);
  scraped.listener.reset();
  reader.read();
  CHECK(scraped.run_until([&] { return reader.ended; }));
  CHECK(scraped.scrapes == 0);
}

TEST_CASE("H70: metrics may be asked for at any moment of a host's life") {
  Loop loop;
  const auto ask = [](const Host& host) {
    return metrics_text(metrics_of(host, Time{})).size() > 1000;
  };
  HostConfig config;
  config.listen = {loopback()};
  auto one = *Host::create(loop.io, std::move(config)), other = *Host::create(loop.io, {});
  CHECK(ask(*one));
  bool connected = false, shut = false;
  other->async_connect(one->addrs().front(), [&](const auto&) { connected = true; });
  CHECK(loop.run_until([&] { return ask(*one) && ask(*other) && connected; }));
  other->async_shutdown([&](const Result<void>&) { shut = true; });
  CHECK(loop.run_until([&] { return ask(*one) && ask(*other) && shut; }));
  CHECK(ask(*other));
}

TEST_CASE("metrics: figures by type, outcome and size stand in the text") {
  Metrics metrics;
  metrics.up = 1500ms;
  metrics.stored_rows = 7;
  metrics.meshes = {{"a \"b\"\n\\", 3, 4}};
  metrics.node.bootstrap = {Bootstrap::joined, 5, 2, kNever, {}};
  QueryStats& gets = metrics.node.kad.queries[static_cast<std::size_t>(QueryType::get)];
  gets.ended.ok = 2;
  gets.ended.failed[static_cast<std::size_t>(Errc::timeout)] = 1;
  for (const std::uint64_t ms : {3u, 4u, 100'000u}) gets.took_ms.add(ms);
  gets.hops[2] = 2;
  metrics.node.kad.requests[static_cast<std::size_t>(KadType::find_node)].withdrawn = 9;
  const std::string text = metrics_text(metrics);
  for (const char* line : {
           "kadmesh_up_seconds 1.500",
           "kadmesh_store_rows 7",
           "kadmesh_bootstrap_state{state=\"joined\"} 1",
           "kadmesh_bootstrap_state{state=\"isolated\"} 0",
           "kadmesh_kad_queries_total{type=\"get\",outcome=\"ok\"} 2",
           "kadmesh_kad_queries_total{type=\"get\",outcome=\"timeout\"} 1",
           "kadmesh_kad_queries_total{type=\"put\",outcome=\"ok\"} 0",
           "kadmesh_kad_query_seconds_bucket{type=\"get\",le=\"0.002\"} 0",
           "kadmesh_kad_query_seconds_bucket{type=\"get\",le=\"0.004\"} 2",
           "kadmesh_kad_query_seconds_bucket{type=\"get\",le=\"32.768\"} 2",
           "kadmesh_kad_query_seconds_bucket{type=\"get\",le=\"+Inf\"} 3",
           "kadmesh_kad_query_seconds_sum{type=\"get\"} 100.007",
           "kadmesh_kad_query_seconds_count{type=\"get\"} 3",
           "kadmesh_kad_query_hops_bucket{type=\"get\",le=\"1\"} 0",
           "kadmesh_kad_query_hops_bucket{type=\"get\",le=\"2\"} 2",
           "kadmesh_kad_query_hops_sum{type=\"get\"} 4",
           "kadmesh_kad_requests_total{type=\"FIND_NODE\",outcome=\"withdrawn\"} 9",
           "kadmesh_gossip_mesh_peers{topic=\"a \\\"b\\\"\\n\\\\\"} 3",
           "# TYPE kadmesh_kad_query_seconds histogram",
       })
    CHECK_MESSAGE(has_line(text, line), line);
}

TEST_CASE("metrics: each family is declared once, and every sample belongs to one") {
  const std::string text = metrics_text({});
  std::set<std::string> families;
  std::string family;
  for (std::size_t at = 0; at < text.size();) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      CHECK_MESSAGE(families.insert(family).second, line);
    } else if (!line.starts_with("#")) {
      CHECK_MESSAGE(line.starts_with(family), line);
    }
  }
  CHECK(families.size() > 30);
}

}  // namespace kadmesh
