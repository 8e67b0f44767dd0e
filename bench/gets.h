// What a get costs in a DHT of many nodes that share one process, each with sockets of its own on
// the loopback interface. The same programme for every stack; bench/dht.cc and bench/opendht.cc
// bring the nodes.
//
//   nodes join -> rest -> each seeks what nobody has -> values are put -> gets to get warm
//     -> gets -> the same gets again -> newcomers
//
// Seeking fills tables: OpenDHT's nodes would know a quarter of each other, and miss values. A
// value is put by the node nearest to its key, and asked for by nodes that hold no copy: those
// beyond the nearest twenty, which is more than either stack's copies are.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "measure.h"

namespace kadmesh::bench {

struct GetCost {
  double cpu_s, seconds;
};

// Since it was made.
class GetWatch {
 public:
  GetCost cost() const { return {cpu_seconds() - cpu_, seconds() - start_}; }

 private:
  double cpu_ = cpu_seconds(), start_ = seconds();
};

class Dht {
 public:
  virtual ~Dht() = default;
  // One node more, which joins through the first one.
  virtual void add() = 0;
  // Of the first get of a node that is not one of these: on a thread of its own it joins through
  // the first one, asks as soon as it is connected to that, and goes.
  virtual GetCost first_get(const std::string& key, const std::string& value) = 0;
  virtual void rest(double seconds) = 0;
  // All nodes, the nearest to the key first.
  virtual std::vector<std::size_t> nearest(const std::string& key) = 0;
  // Both return when the operation is over; a put that failed ends the program, a get that found
  // nothing is empty.
  virtual void put(std::size_t node, const std::string& key, const std::string& value) = 0;
  virtual std::string get(std::size_t node, const std::string& key) = 0;
};

struct GetSizes {
  std::size_t nodes, gets, newcomers;
};

// Prints
//   cpu_us, p50_us      of a get of a key that this node asks for the first time: CPU of the whole
//                       process, that is of who asks and of all who answer, with the kernel's share
//   again_cpu_us, ...   of the same gets once more, by the same nodes
//   cold_ms, cold_cpu_ms  of the first get of a node that has just joined: median
//   kib                 resident memory of a node of the warm network, before any value is put
//   idle_ms_per_s       CPU of the whole network when nobody asks anything
void measure_gets(Dht& dht, GetSizes sizes);

// NODES GETS NEWCOMERS of the command line.
GetSizes get_sizes(int argc, char** argv);

}  // namespace kadmesh::bench
