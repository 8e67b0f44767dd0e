// Three whole nodes (net.h) by the names that the scenes of sim and the command line give them.
#pragma once

#include "net.h"

namespace kadmesh::testing {

inline constexpr Net::Number kAlice = 1, kBob = 2, kCharlie = 3;

inline KadConfig seeded(Net::Number seed) {
  KadConfig config = Net::open_config();
  config.seeds = {home(seed)};
  return config;
}

// Alice, and Bob and Charlie who have connected to her.
struct Trio : Net {
  Trio() {
    add({kAlice, kBob, kCharlie});
    connect(kBob, kAlice);
    connect(kCharlie, kAlice);
    run_for(5s);
  }
};

}  // namespace kadmesh::testing
