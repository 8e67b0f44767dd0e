// A node's figures in the text that Prometheus scrapes (prometheus.io, "Exposition formats", text
// format 0.0.4). Names are as its "Metric and label naming" has them: they begin with kadmesh_ and
// end in their unit, counters in _total; what libp2p's draft of metrics for GossipSub names has the
// draft's name, gossipsub_ and so on. doc/metrics.md lists them. The text is UTF-8 whatever
// peers say. The labels of a family are bounded: types, error codes, and topics that we subscribe
// to, which stand as `topic`, or in hexadecimal as `topic_hex` when they are no text.
#pragma once

#include <string>
#include <vector>

#include "node/node.h"

namespace kadmesh {

class Host;

struct Metrics {
  NodeStats node;
  WallTime started{};
  std::size_t stored_rows = 0, stored_bytes = 0;
  struct Mesh {
    Topic topic;
    std::size_t peers = 0, subscribers = 0;
    TopicStats stats{};
  };
  std::vector<Mesh> meshes{};
  std::vector<double> scores{};  // of connected peers
};

Metrics metrics_of(const Host& host, WallTime started);
std::string metrics_text(const Metrics& metrics);

}  // namespace kadmesh
