// A node's figures in the text that Prometheus scrapes (prometheus.io, "Exposition formats", text
// format 0.0.4). Names begin with kadmesh_, times are in seconds, counters end in _total;
// doc/metrics.md lists them. The labels of a family are bounded: types, error codes, and topics
// that we subscribe to.
#pragma once

#include <string>
#include <vector>

#include "node/node.h"

namespace kadmesh {

class Host;

struct Metrics {
  NodeStats node;
  Duration up{};
  std::size_t stored_rows = 0, stored_bytes = 0;
  struct Mesh {
    Topic topic;
    std::size_t peers = 0, subscribers = 0;
  };
  std::vector<Mesh> meshes{};
};

Metrics metrics_of(const Host& host, Time started);
std::string metrics_text(const Metrics& metrics);

}  // namespace kadmesh
