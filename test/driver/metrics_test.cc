#include <algorithm>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <set>
#include <sstream>

#include "base/utf8.h"
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

constexpr Duration kSoon = 300ms, kNotSoon = 1h;

struct Scraped : Loop {
  std::string text = "kadmesh_peers_known 1\n";
  std::size_t scrapes = 0;
  std::unique_ptr<MetricsListener> listener;

  explicit Scraped(MetricsOptions options = {.patience = kSoon, .fresh = 0s})
      : listener(*MetricsListener::open(
            io, *loopback().tcp_endpoint(), [this] { return ++scrapes, text; },
            std::move(options))) {}

  std::vector<std::unique_ptr<Reader>> readers(std::size_t count) {
    std::vector<std::unique_ptr<Reader>> all;
    while (all.size() < count) all.push_back(std::make_unique<Reader>(*this, *listener));
    return all;
  }
  std::string get(std::string_view request) {
    Reader reader(*this, *listener);
    reader.ask(request);
    reader.read();
    CHECK(run_until([&] { return reader.ended; }));
    return reader.answer;
  }
};

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n";

// More than any socket takes at once.
std::string huge() { return std::string(std::size_t{64} * 1024 * 1024, 'x'); }

std::string get_as(std::string_view host) {
  return "GET /metrics HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: a scrape gets the text, whole and once") {
  Scraped scraped;
  const std::string answer = scraped.get(kGet);
  CHECK(answer.starts_with("HTTP/1.0 200 OK\r\n"));
  CHECK(answer.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
  CHECK(answer.find("Content-Length: 22\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\nkadmesh_peers_known 1\n"));
  CHECK(scraped.scrapes == 1);
  CHECK(scraped.listener->clients() == 0);
}

TEST_CASE("metrics: all else is not found, and makes no text") {
  Scraped scraped;
  for (const std::string_view request :
       {"GET / HTTP/1.0\r\n\r\n", "POST /metrics HTTP/1.0\r\n\r\n",
        "GET /metricsx HTTP/1.0\r\n\r\n", "GET http://x/metrics HTTP/1.0\r\n\r\n"})
    CHECK(scraped.get(request).starts_with("HTTP/1.0 404"));
  CHECK(scraped.get("GET /metrics?x=1 HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
  CHECK(scraped.scrapes == 1);
}

TEST_CASE("metrics: a reader that sleeps stops nobody") {
  Scraped scraped({.patience = kNotSoon, .fresh = 0s});
  scraped.text = huge();
  Reader sleeper(scraped, *scraped.listener);
  sleeper.ask(kGet);
  REQUIRE(scraped.run_until([&] { return scraped.scrapes == 1; }));
  scraped.text = "short\n";
  CHECK(scraped.get(kGet).ends_with("short\n"));  // somebody else, meanwhile
  CHECK(scraped.listener->clients() == 1);
}

TEST_CASE("metrics: a reader that sleeps is dropped in time") {
  Scraped scraped;
  scraped.text = huge();
  Reader sleeper(scraped, *scraped.listener);
  sleeper.ask(kGet);
  REQUIRE(scraped.run_until([&] { return scraped.scrapes == 1; }));
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

TEST_CASE("metrics: silent clients keep nobody out, and are not more than so many") {
  Scraped scraped({.patience = kNotSoon, .fresh = 0s});
  const auto silent = scraped.readers(3 * MetricsListener::kMostClients);
  std::size_t most = 0, ended = 0;
  for (const auto& reader : silent) {
    reader->ask("GET /metrics HTTP/1.1\r\n");  // and so on, some day
    reader->read();
  }
  const auto ends = [&] {
    most = std::max(most, scraped.listener->clients());
    ended = static_cast<std::size_t>(
        std::ranges::count_if(silent, [](const auto& reader) { return reader->ended; }));
    return ended == silent.size() - MetricsListener::kMostClients;
  };
  REQUIRE(scraped.run_until(ends));
  CHECK(most == MetricsListener::kMostClients);
  CHECK(silent.front()->ended);  // it came first
  CHECK_FALSE(silent.back()->ended);
  CHECK(scraped.get(kGet).starts_with("HTTP/1.0 200"));
  CHECK(scraped.listener->clients() == MetricsListener::kMostClients - 1);
}

TEST_CASE("metrics: who has asked is answered before the silent are, and gives way before nobody") {
  Scraped scraped({.patience = kNotSoon, .fresh = 0s});
  scraped.text = huge();
  Reader sleeper(scraped, *scraped.listener);
  sleeper.ask(kGet);
  REQUIRE(scraped.run_until([&] { return scraped.scrapes == 1; }));
  const auto silent = scraped.readers(2 * MetricsListener::kMostClients);
  silent.front()->read();
  REQUIRE(scraped.run_until([&] { return silent.front()->ended; }));
  sleeper.read();
  CHECK(scraped.run_until([&] { return sleeper.ended; }));
  CHECK(sleeper.body() == scraped.text);
}

TEST_CASE("metrics: readers that sleep keep nobody out") {
  Scraped scraped({.patience = kNotSoon, .fresh = kNotSoon});
  scraped.text = huge();
  const auto sleepers = scraped.readers(MetricsListener::kMostClients);
  for (const auto& sleeper : sleepers) sleeper->ask(kGet);
  REQUIRE(scraped.run_until(
      [&] { return scraped.listener->clients() == MetricsListener::kMostClients; }));
  scraped.run_ready();
  CHECK(scraped.get(kGet).starts_with("HTTP/1.0 200"));
  CHECK(scraped.listener->clients() < MetricsListener::kMostClients);
}

TEST_CASE("metrics: however often somebody asks, the text is made once in a while") {
  Scraped scraped({.patience = kNotSoon, .fresh = kSoon});
  const auto begin = std::chrono::steady_clock::now();
  std::size_t asked = 0;
  const auto patient = [&] { return std::chrono::steady_clock::now() - begin < kPatience; };
  while (scraped.scrapes < 3 && patient()) {
    scraped.text = "kadmesh_peers_known " + std::to_string(scraped.scrapes + 1) + "\n";
    const std::string answer = scraped.get(kGet);
    CHECK(answer.ends_with("known " + std::to_string(scraped.scrapes) + "\n"));
    ++asked;
  }
  CHECK(scraped.scrapes == 3);
  CHECK(asked > scraped.scrapes);
  CHECK(std::chrono::steady_clock::now() - begin >= 2 * kSoon);
}

TEST_CASE("metrics: for how long an answer holds stands in it") {
  Scraped scraped(MetricsOptions{});
  CHECK(scraped.get(kGet).find("\r\nCache-Control: max-age=1\r\n") != std::string::npos);
}

TEST_CASE("metrics: a web page that has its name rebound to us reads nothing") {
  Scraped scraped({.names = {"node-1.example"}, .patience = kNotSoon});
  for (const std::string_view host :
       {"evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example",
        "127.1", "0x7f000001", "2130706433", "127.0.0.1:x", "127.0.0.1:1:2", "::1", "[::1",
        "[::1]x", "[::1]:x", "[evil.example]", "", ":9464", "xlocalhost", "node-1.example.evil"}) {
    const std::string answer = scraped.get(get_as(host));
    CHECK_MESSAGE(answer.starts_with("HTTP/1.0 421 Misdirected Request\r\n"), host);
    CHECK_MESSAGE(answer.find("use an IP address, localhost") != std::string::npos, host);
  }
  CHECK(scraped.get("GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n")
            .starts_with("HTTP/1.0 421"));
  CHECK(scraped.scrapes == 0);
}

TEST_CASE("metrics: addresses, localhost and the names that were given are asked on any port") {
  Scraped scraped({.names = {"node-1.example"}, .patience = kNotSoon});
  for (const std::string_view host :
       {"127.0.0.1", "127.0.0.1:9464", "192.0.2.7:1", "[::1]", "[::1]:9464", "localhost",
        "LocalHost:80", "node-1.example", "Node-1.Example:65535"})
    CHECK_MESSAGE(scraped.get(get_as(host)).starts_with("HTTP/1.0 200"), host);
  CHECK(scraped.get("GET /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
  CHECK(scraped.get("GET /metrics HTTP/1.1\r\nA:\r\nhOST:\t127.0.0.1 \r\nB: c\r\n\r\n")
            .starts_with("HTTP/1.0 200"));
}

TEST_CASE("metrics: what is no request of HTTP/1 is told so, also one without a Host") {
  Scraped scraped;
  for (const std::string_view request :
       {"\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET  /metrics HTTP/1.0\r\n\r\n", "GET /metrics HTTP/1.0 x\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nno colon\r\n\r\n", "GET /metrics HTTP/1.0\r\n: x\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nHost : localhost\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nA: b\r\n Host: localhost\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n"})
    CHECK_MESSAGE(scraped.get(request).starts_with("HTTP/1.0 400 Bad Request\r\n"), request);
  const std::string answer = scraped.get("GET /metrics HTTP/1.1\r\nA: b\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.0 400 Bad Request\r\n"));
  CHECK(answer.ends_with("no Host header field\n"));
  CHECK(scraped.scrapes == 0);
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
    return metrics_text(metrics_of(host, WallTime{})).size() > 1000;
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
  metrics.started = WallTime(1'700'000'000'500ms);
  metrics.stored_rows = 7;
  metrics.meshes = {{"a \"b\"\n\\", 3, 4}, {"t", 1, 2}};
  metrics.meshes[1].stats = {.published = 1, .delivered = 8, .duplicates = 9, .grafts = 6};
  metrics.meshes[1].stats.refused[static_cast<std::size_t>(Refusal::signature)] = 2;
  metrics.meshes[1].stats.refused[static_cast<std::size_t>(Refusal::rejected)] = 3;
  metrics.meshes[1].stats.refused[static_cast<std::size_t>(Refusal::ignored)] = 4;
  metrics.scores = {-10, -0.5, 0, 12.25};
  metrics.node.gossip.parts_in[static_cast<std::size_t>(RpcPart::idontwant)] = 5;
  metrics.node.gossip.penalties[static_cast<std::size_t>(Penalty::graft_backoff)] = 7;
  metrics.node.gossip.delay_ms.add(3);
  metrics.node.bootstrap = {Bootstrap::joined, 5, 2, kNever, {}};
  QueryStats& gets = metrics.node.kad.queries[static_cast<std::size_t>(QueryType::get)];
  gets.ended.ok = 2;
  gets.ended.failed[static_cast<std::size_t>(Errc::timeout)] = 1;
  for (const std::uint64_t ms : {3u, 4u, 100'000u}) gets.took_ms.add(ms);
  gets.hops[2] = 2;
  metrics.node.kad.requests[static_cast<std::size_t>(KadType::find_node)].withdrawn = 9;
  InboundStats& inbound = metrics.node.kad.inbound;
  inbound.ended[static_cast<std::size_t>(KadType::put_value)].ok = 6;
  inbound.ended[static_cast<std::size_t>(KadType::put_value)]
      .failed[static_cast<std::size_t>(Errc::refused)] = 5;
  inbound.unread.failed[static_cast<std::size_t>(Errc::malformed)] = 4;
  metrics.node.kad.inbound_waiting = 3;
  metrics.node.kad.pending_puts = 8;
  metrics.node.kad.republish_due = 11;
  metrics.node.kad.republish_running = 12;
  const std::string text = metrics_text(metrics);
  for (const char* line : {
           "kadmesh_start_time_seconds 1700000000.500",
           "kadmesh_store_rows 7",
           "kadmesh_bootstrap_state{state=\"joined\"} 1",
           "kadmesh_bootstrap_state{state=\"isolated\"} 0",
           "kadmesh_kad_queries_total{type=\"get\",outcome=\"ok\"} 2",
           "kadmesh_kad_queries_total{type=\"get\",outcome=\"timeout\"} 1",
           "kadmesh_kad_queries_total{type=\"put\",outcome=\"ok\"} 0",
           "kadmesh_kad_query_duration_seconds_bucket{type=\"get\",le=\"0.002\"} 0",
           "kadmesh_kad_query_duration_seconds_bucket{type=\"get\",le=\"0.004\"} 2",
           "kadmesh_kad_query_duration_seconds_bucket{type=\"get\",le=\"32.768\"} 2",
           "kadmesh_kad_query_duration_seconds_bucket{type=\"get\",le=\"+Inf\"} 3",
           "kadmesh_kad_query_duration_seconds_sum{type=\"get\"} 100.007",
           "kadmesh_kad_query_duration_seconds_count{type=\"get\"} 3",
           "kadmesh_kad_query_hops_bucket{type=\"get\",le=\"1\"} 0",
           "kadmesh_kad_query_hops_bucket{type=\"get\",le=\"2\"} 2",
           "kadmesh_kad_query_hops_sum{type=\"get\"} 4",
           "kadmesh_kad_requests_total{type=\"FIND_NODE\",outcome=\"withdrawn\"} 9",
           "kadmesh_kad_requests_total{type=\"FIND_NODE\",outcome=\"ok\"} 0",
           "kadmesh_kad_inbound_requests_total{type=\"PUT_VALUE\",outcome=\"ok\"} 6",
           "kadmesh_kad_inbound_requests_total{type=\"PUT_VALUE\",outcome=\"refused\"} 5",
           "kadmesh_kad_inbound_requests_total{type=\"PING\",outcome=\"ok\"} 0",
           "kadmesh_kad_inbound_requests_total{type=\"unread\",outcome=\"malformed\"} 4",
           "kadmesh_kad_inbound_requests_waiting 3",
           "kadmesh_kad_unpublished{kind=\"value\"} 8",
           "kadmesh_kad_republish_due 11",
           "kadmesh_kad_republish_running 12",
           "gossipsub_mesh_peers_total{topic=\"a \\\"b\\\"\\n\\\\\"} 3",
           "gossipsub_message_received_total{topic=\"t\",validation_result=\"accept\"} 8",
           "gossipsub_message_received_total{topic=\"t\",validation_result=\"reject\"} 5",
           "gossipsub_message_received_total{topic=\"t\",validation_result=\"ignore\"} 4",
           "gossipsub_message_rejected_total{topic=\"t\",reason=\"invalid signature\"} 2",
           "gossipsub_message_duplicate_total{topic=\"t\"} 9",
           "gossipsub_message_published_total{topic=\"t\"} 1",
           "gossipsub_peer_graft_total{topic=\"t\"} 6",
           "gossipsub_rpc_received_total{message_type=\"idontwant\"} 5",
           "gossipsub_rpc_sent_total{message_type=\"idontwant\"} 0",
           "gossipsub_peer_score_bucket{le=\"-10\"} 1",
           "gossipsub_peer_score_bucket{le=\"-1\"} 1",
           "gossipsub_peer_score_bucket{le=\"0\"} 3",
           "gossipsub_peer_score_bucket{le=\"+Inf\"} 4",
           "gossipsub_peer_score_sum 1.750",
           "gossipsub_backoff_violations_total 7",
           "gossipsub_score_penalty_total{penalty_type=\"graft_backoff\"} 7",
           "kadmesh_gossip_delivery_delay_seconds_bucket{le=\"0.002\"} 0",
           "kadmesh_gossip_delivery_delay_seconds_bucket{le=\"0.004\"} 1",
           "kadmesh_gossip_delivery_delay_seconds_sum 0.003",
           "# TYPE kadmesh_kad_query_duration_seconds histogram",
       })
    CHECK_MESSAGE(has_line(text, line), line);
}

TEST_CASE("metrics: a topic of any bytes stands in the text as UTF-8, and as a series of its own") {
  Metrics metrics;
  metrics.meshes = {{"caf\u00e9", 1, 1}, {"a\xff", 2, 2}, {"a\xfe", 3, 3}, {"\xed\xa0\x80", 4, 4}};
  const std::string text = metrics_text(metrics);
  CHECK(is_utf8(text));
  for (const char* line : {"gossipsub_mesh_peers_total{topic=\"caf\u00e9\"} 1",
                           "gossipsub_mesh_peers_total{topic_hex=\"61ff\"} 2",
                           "gossipsub_mesh_peers_total{topic_hex=\"61fe\"} 3",
                           "gossipsub_mesh_peers_total{topic_hex=\"eda080\"} 4"})
    CHECK_MESSAGE(has_line(text, line), line);
}

// A text read as Prometheus reads it: families in the order of their declaration, and their
// samples.
struct Scrape {
  struct Family {
    std::string name, type;
    std::vector<std::pair<std::string, double>> samples{};  // "name{labels}" without the family
  };
  std::vector<Family> families;

  explicit Scrape(const std::string& text) {
    std::istringstream lines(text);
    std::string helped;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# HELP ")) {
        helped = line.substr(7, line.find(' ', 7) - 7);
      } else if (line.starts_with("# TYPE ")) {
        const std::size_t end = line.find(' ', 7);
        families.push_back({line.substr(7, end - 7), line.substr(end + 1)});
        CHECK_MESSAGE(families.back().name == helped, line);
      } else {
        REQUIRE_FALSE(families.empty());
        REQUIRE_MESSAGE(line.starts_with(families.back().name), line);
        const std::string sample = line.substr(families.back().name.size());
        const std::size_t end = sample.rfind(' ');
        families.back().samples.emplace_back(sample.substr(0, end), std::stod(sample.substr(end)));
      }
    }
  }
};

TEST_CASE("metrics: each family is declared once, with a name of its kind, and no series twice") {
  std::set<std::string> names, series;
  for (const Scrape::Family& family : Scrape(metrics_text({})).families) {
    CHECK_MESSAGE(names.insert(family.name).second, family.name);
    const bool drafted = family.name.starts_with("gossipsub_");  // calls some gauges _total
    CHECK_MESSAGE((drafted || (family.type == "counter") == family.name.ends_with("_total")),
                  family.name);
    CHECK_MESSAGE(family.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos,
                  family.name);
    const bool plain = family.type != "histogram";
    for (const auto& [labels, value] : family.samples) {
      CHECK_MESSAGE(series.insert(family.name + labels).second, labels);
      CHECK_MESSAGE((!plain || labels.empty() || labels.starts_with("{")), labels);
    }
  }
  CHECK(names.size() > 30);
}

TEST_CASE("metrics: buckets of a histogram grow, up to all that were counted, and have a sum") {
  Metrics metrics;
  for (QueryStats& query : metrics.node.kad.queries) {
    for (const std::uint64_t ms : {0u, 1u, 3u, 700u, 32'768u, 100'000u}) query.took_ms.add(ms);
    query.hops = {1, 2, 3};
    query.hops.back() = 4;
  }
  metrics.scores = {-200, 0, 0.5, 1'000};
  for (const std::uint64_t ms : {0u, 5u, 70'000u}) metrics.node.gossip.delay_ms.add(ms);
  std::size_t histograms = 0;
  for (const Scrape::Family& family : Scrape(metrics_text(metrics)).families) {
    if (family.type != "histogram") continue;
    double last = 0, all = 0;
    bool summed = false;
    for (const auto& [sample, value] : family.samples) {
      if (sample.starts_with("_bucket{")) {
        CHECK_MESSAGE(value >= last, sample);
        last = value;
        if (sample.ends_with("le=\"+Inf\"}")) all = value;
      } else if (sample.starts_with("_sum")) {
        summed = true;
      } else {
        CHECK_MESSAGE(sample.starts_with("_count"), sample);
        CHECK_MESSAGE((summed && all > 0 && value == all && last == all), sample);
        last = all = 0;
        summed = false;
        ++histograms;
      }
    }
  }
  CHECK(histograms == 2 * kQueryTypes + 2);
}

}  // namespace kadmesh
