#include "driver/stream.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include "hosts.h"

namespace kadmesh {
namespace {

// A stream from Bob's end and the same one from Alice's.
struct Streaming : Hosts {
  Streaming() {
    alice->serve("/talk/1", [this](Stream stream) { theirs.emplace(std::move(stream)); });
    REQUIRE(connect(*bob, *alice));
    auto opened = open(*bob, *alice, "/talk/1");
    REQUIRE(opened);
    ours.emplace(*std::move(opened));
    say(*ours, "?");  // the lazy proposal travels with the first bytes
    REQUIRE(run_until([&] { return theirs.has_value(); }));
    CHECK(read_text(*theirs, 1) == "?");
  }

  struct Outcome {
    asio::error_code error;
    std::size_t count;
  };
  template <class Start>
  Outcome io_run(Start start) {
    std::optional<Outcome> outcome;
    start([&](asio::error_code error, std::size_t count) { outcome = {error, count}; });
    REQUIRE(run_until([&] { return outcome.has_value(); }));
    return *outcome;
  }
  void say(Stream& stream, const std::string& text) {
    CHECK(!io_run([&](auto done) { asio::async_write(stream, asio::buffer(text), done); }).error);
  }
  std::string read_text(Stream& stream, std::size_t size) {
    std::string text(size, ' ');
    CHECK(!io_run([&](auto done) { asio::async_read(stream, asio::buffer(text), done); }).error);
    return text;
  }
  asio::error_code read_error(Stream& stream) {
    std::array<char, 8> into{};
    return io_run([&](auto done) { stream.async_read_some(asio::buffer(into), done); }).error;
  }

  std::unique_ptr<Host> alice = host(), bob = host();
  std::optional<Stream> ours, theirs;
};

TEST_CASE_FIXTURE(Streaming, "stream: it knows its peer and its protocol") {
  CHECK(ours->peer() == alice->id());
  CHECK(theirs->peer() == bob->id());
  CHECK(theirs->protocol() == "/talk/1");
}

TEST_CASE_FIXTURE(Streaming, "stream: Asio's own operations work on it") {
  say(*ours, "one\ntwo\n");
  std::string text;
  const auto line = io_run(
      [&](auto done) { asio::async_read_until(*theirs, asio::dynamic_buffer(text), '\n', done); });
  CHECK(!line.error);
  CHECK(text.substr(0, line.count) == "one\n");
}

TEST_CASE_FIXTURE(Streaming, "stream: far more than a window goes both ways at once") {
  const std::string large(4 << 20, 'x');
  std::string there(large.size(), ' '), back(large.size(), ' ');
  int done = 0;
  const auto count = [&](asio::error_code error, std::size_t) { done += error ? 100 : 1; };
  asio::async_write(*ours, asio::buffer(large), count);
  asio::async_write(*theirs, asio::buffer(large), count);
  asio::async_read(*theirs, asio::buffer(there), count);
  asio::async_read(*ours, asio::buffer(back), count);
  CHECK(run_until([&] { return done >= 4; }));
  CHECK(done == 4);
  CHECK((there == large && back == large));
}

TEST_CASE_FIXTURE(Streaming, "stream: after the last byte comes eof, and the other half goes on") {
  say(*ours, "bye");
  ours->finish();
  CHECK(read_text(*theirs, 3) == "bye");
  CHECK(read_error(*theirs) == asio::error::eof);
  say(*theirs, "take care");
  CHECK(read_text(*ours, 9) == "take care");
}

TEST_CASE_FIXTURE(Streaming, "stream: a reset is an error at the other end, not an eof") {
  ours->reset(7);
  CHECK(read_error(*theirs) == asio::error::connection_reset);
  CHECK(read_error(*ours) == asio::error::operation_aborted);
}

TEST_CASE_FIXTURE(Streaming, "stream: one that is let go unfinished is reset") {
  ours.reset();
  CHECK(read_error(*theirs) == asio::error::connection_reset);
}

TEST_CASE_FIXTURE(Streaming, "stream: a read that is cancelled ends; the next one reads on") {
  asio::cancellation_signal signal;
  std::array<char, 8> into{};
  std::optional<asio::error_code> ended;
  theirs->async_read_some(
      asio::buffer(into),
      asio::bind_cancellation_slot(signal.slot(),
                                   [&](asio::error_code error, std::size_t) { ended = error; }));
  run_ready();
  CHECK(!ended);
  signal.emit(asio::cancellation_type::terminal);
  CHECK(run_until([&] { return ended.has_value(); }));
  CHECK(*ended == asio::error::operation_aborted);
  say(*ours, "still here");
  CHECK(read_text(*theirs, 10) == "still here");
}

TEST_CASE_FIXTURE(Streaming, "stream: it outlives its host, and says so") {
  bob.reset();
  CHECK(read_error(*ours) == asio::error::operation_aborted);
  CHECK(run_until([&] { return alice->node().connections().empty(); }));
  CHECK(read_error(*theirs) == asio::error::connection_reset);
}

}  // namespace
}  // namespace kadmesh
