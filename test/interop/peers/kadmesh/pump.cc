#include "pump.h"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <random>

namespace kadmesh::peer {
namespace {

constexpr std::size_t kNumber = 8;  // bytes

std::int64_t now_us() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

void put(std::uint8_t* to, std::uint64_t number) {
  for (std::size_t i = 0; i < kNumber; ++i)
    to[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
}

std::uint64_t get(const std::uint8_t* from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumber; ++i) number = number << 8 | from[i];
  return number;
}

std::int64_t quantile(std::vector<std::int64_t>& values, std::size_t percent) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * percent / 100);
  std::ranges::nth_element(values, at);
  return *at;
}

}  // namespace

Pump::Pump(Host& host)
    : host_(host),
      changed_(host.get_executor(), asio::steady_timer::time_point::max()),
      nonce_(std::uint64_t{std::random_device()()} << 32) {}

void Pump::on_message(const GossipDeliver& delivery) {
  const Bytes& data = delivery.message.data;
  if (data.size() < 2 * kNumber) return;
  ++came_;
  delays_us_.push_back(now_us() - static_cast<std::int64_t>(get(data.data())));
  publish_more();
  if (complete()) changed_.cancel();
}

asio::awaitable<Json> Pump::run(PumpOrder order) {
  if (published_ < order_.count) throw Failure("a pump is at work");
  order_ = std::move(order);
  published_ = 0;
  const auto start = std::chrono::steady_clock::now();
  publish_more();
  if (order_.interval > Duration::zero()) co_await publish_in_time();
  while (!complete()) {
    asio::error_code rung;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  co_return figures(took.count());
}

Json Pump::figures(double seconds) {
  Json told{{"seconds", seconds},
            {"p50_us", quantile(delays_us_, 50)},
            {"p99_us", quantile(delays_us_, 99)}};
  came_ = 0;  // what comes from now on is the next pump's
  delays_us_.clear();
  return told;
}

bool Pump::may_publish() const {
  return order_.interval == Duration::zero() && published_ < order_.count &&
         came_ + order_.window * order_.others >= (published_ + 1) * order_.others;
}

void Pump::publish_more() {
  while (may_publish()) publish();
}

asio::awaitable<void> Pump::publish_in_time() {
  asio::steady_timer beat(host_.get_executor(), asio::steady_timer::clock_type::now());
  while (published_ < order_.count) {
    co_await beat.async_wait(asio::use_awaitable);
    publish();
    beat.expires_at(beat.expiry() + order_.interval);
  }
}

void Pump::publish() {
  Bytes data(std::max(order_.size, 2 * kNumber));
  put(data.data(), static_cast<std::uint64_t>(now_us()));
  put(data.data() + kNumber, nonce_++);
  ++published_;
  value_or_throw(host_.publish(order_.topic, std::move(data)));
}

}  // namespace kadmesh::peer
