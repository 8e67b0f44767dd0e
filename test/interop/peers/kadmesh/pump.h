// Messages that are counted and not told, and the pump that publishes them: the verb gossip_pump.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <vector>

#include "driver/host.h"
#include "verbs.h"

namespace kadmesh::peer {

// What was asked for: PROTOCOL.md.
struct PumpOrder {
  Topic topic;
  std::size_t count, size, window, others;
  Duration interval;
};

// Of one topic.
class Pump {
 public:
  explicit Pump(Host& host);

  void on_message(const GossipDeliver& delivery);
  // One at a time.
  asio::awaitable<Json> run(PumpOrder order);

 private:
  bool may_publish() const;
  bool complete() const { return came_ == order_.count * order_.others; }
  void publish();
  void publish_more();
  asio::awaitable<void> publish_in_time();
  Json figures(double seconds);

  Host& host_;
  asio::steady_timer changed_;  // rung for a pump that waits
  std::uint64_t nonce_;         // tells our messages from everybody's
  PumpOrder order_{};
  std::size_t published_ = 0, came_ = 0;
  std::vector<std::int64_t> delays_us_;
};

}  // namespace kadmesh::peer
