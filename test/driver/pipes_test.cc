#include "driver/pipes.h"

#include <algorithm>
#include <asio/completion_condition.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <map>
#include <optional>
#include <string>

#include "driver/loop.h"

namespace kadmesh {
namespace {

using asio::ip::tcp;

// One connection: a pipe at our end, a plain socket at the other.
struct Wired : Loop {
  Wired() {
    pipes.dial(kId, to_endpoint(acceptor.local_endpoint()));
    acceptor.accept(other);
    REQUIRE(run_until([&] { return dialed; }));
  }

  Pipes::Events events() {
    return {.dialed = [this](ConnId, const Endpoint&) { dialed = true; },
            .dial_failed = [this](ConnId, const Error& why) { failed = why; },
            .bytes = [this](ConnId, ByteView bytes) { heard += as_text(bytes); },
            .written = [this](ConnId, std::size_t count) { written += count; },
            .closed = [this](ConnId, const Error& why) { closed = why; },
            .gone = [this] { ++gone; }};
  }
  void other_says(const std::string& text) { asio::write(other, asio::buffer(text)); }

  static constexpr ConnId kId{1};
  tcp::acceptor acceptor{io, any_port()};
  tcp::socket other{io};
  bool dialed = false;
  std::string heard;
  std::size_t written = 0, gone = 0;
  std::optional<Error> failed, closed;
  Pipes pipes{io.get_executor(), events()};
};

TEST_CASE_FIXTURE(Wired, "pipes: bytes go both ways, and what was written is counted") {
  other_says("hello");
  pipes.write(kId, to_bytes(as_bytes("good ")));
  pipes.write(kId, to_bytes(as_bytes("day")));
  CHECK(run_until([&] { return heard == "hello" && written == 8; }));
  std::string said(8, ' ');
  asio::read(other, asio::buffer(said));
  CHECK(said == "good day");
}

TEST_CASE_FIXTURE(Wired, "pipes: what answers the bytes just read leaves at once, and only once") {
  CHECK(pipes.write(kId, Bytes(3, 'a')) == 0);  // answers nothing
  CHECK(run_until([&] { return written == 3; }));
  other_says("?");
  CHECK(run_until([&] { return heard == "?"; }));
  CHECK(pipes.write(kId, Bytes(4, 'b')) == 4);
  CHECK(pipes.write(kId, Bytes(5, 'c')) == 0);
  CHECK(run_until([&] { return written == 8; }));
  std::string said(12, ' ');
  asio::read(other, asio::buffer(said));
  CHECK(said == "aaabbbbccccc");
}

TEST_CASE_FIXTURE(Wired, "pipes: the rest of an answer that the kernel did not take follows it") {
  other_says("?");
  CHECK(run_until([&] { return heard == "?"; }));
  Bytes large(16 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i % 251);
  const std::size_t taken = pipes.write(kId, large);
  CHECK(taken > 0);
  REQUIRE(taken < large.size());
  std::string said;
  asio::async_read(other, asio::dynamic_buffer(said), asio::transfer_exactly(large.size()),
                   [](asio::error_code, std::size_t) {});
  CHECK(run_until([&] { return taken + written == large.size() && said.size() == large.size(); }));
  CHECK(std::ranges::equal(as_bytes(said), large));
}

TEST_CASE_FIXTURE(Wired, "H4: bytes that are not wanted stay in the kernel until they are") {
  pipes.read(kId, false);
  other_says("not yet");
  pipes.write(kId, to_bytes(as_bytes("x")));
  CHECK(run_until([&] { return written == 1; }));
  run_ready();
  CHECK(heard.empty());
  pipes.read(kId, true);
  pipes.read(kId, true);
  CHECK(run_until([&] { return heard == "not yet"; }));
  other_says(", now");
  CHECK(run_until([&] { return heard == "not yet, now"; }));
}

TEST_CASE_FIXTURE(Wired, "pipes: what was written leaves before the connection closes") {
  pipes.write(kId, Bytes(100'000, 'x'));
  pipes.close(kId, false);
  std::string said;
  asio::async_read(other, asio::dynamic_buffer(said), [](asio::error_code, std::size_t) {});
  CHECK(run_until([&] { return said.size() == 100'000; }));
  CHECK(gone == 1);
  CHECK(pipes.size() == 0);
  CHECK(pipes.dropped() == 0);
}

TEST_CASE_FIXTURE(Wired, "pipes: an aborted connection waits for nobody") {
  for (int i = 0; i < 100; ++i) pipes.write(kId, Bytes(1 << 20));
  run_ready();
  pipes.close(kId, true);
  CHECK(pipes.size() == 0);
  CHECK(gone == 1);
  CHECK(!closed);
}

TEST_CASE_FIXTURE(Wired, "pipes: the end by the other side is told once, and nothing after it") {
  other_says("bye");
  other.close();
  CHECK(run_until([&] { return closed.has_value(); }));
  CHECK(heard == "bye");
  CHECK(closed->code == Errc::closed);
  pipes.write(kId, Bytes(10));
  pipes.close(kId, false);
  run_ready();
  CHECK(gone == 1);
  CHECK(written == 0);
}

TEST_CASE_FIXTURE(Wired, "pipes: a reset says that it was one") {
  other.set_option(asio::socket_base::linger(true, 0));
  other.close();
  CHECK(run_until([&] { return closed.has_value(); }));
  CHECK(closed->code == Errc::reset);
}

TEST_CASE_FIXTURE(Wired, "pipes: where nobody listens a dial fails, and its descriptor is free") {
  const Endpoint at = to_endpoint(acceptor.local_endpoint());
  acceptor.close();
  pipes.dial(ConnId{2}, at);
  CHECK(run_until([&] { return failed.has_value(); }));
  CHECK(failed->code == Errc::refused);
  CHECK(gone == 1);
  CHECK(pipes.size() == 1);
}

}  // namespace
}  // namespace kadmesh
