// A long transfer over a stream of the users' own, from one node to another that reads slowly:
// every byte must come, once and in order.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/world.h"

namespace kadmesh {

class Transfer {
 public:
  static constexpr const char* kProtocol = "/storm/bulk/1.0.0";

  // Both ends tell it what their nodes report.
  Transfer(World& world, World::Index from, World::Index to, std::size_t size);
  void start();
  void on_report(World::Index node, const Report& report);

  bool complete() const { return received_ == size_ && finished_; }
  bool corrupt() const { return corrupt_; }
  std::size_t received() const { return received_; }

 private:
  static constexpr Duration kPause = 20ms;         // of the reader, between two looks
  static constexpr std::size_t kBite = 64 * 1024;  // what it takes in one

  static std::uint8_t byte_at(std::size_t position) {
    return static_cast<std::uint8_t>(position * 31 + position / 251);
  }
  void write();
  void read_later();
  void read();

  World& world_;
  World::Index from_, to_;
  std::size_t size_;
  std::optional<StreamKey> out_, in_;
  std::size_t sent_ = 0, received_ = 0;
  bool closed_ = false, reading_ = false, finished_ = false, corrupt_ = false;
};

}  // namespace kadmesh
