// A file of all that happens in GossipSub, for tools that read the traces of go-libp2p-pubsub
// (gossip/trace_format.h).
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include "node/report.h"

namespace kadmesh {

class GossipTraceFile {
 public:
  // Made anew, readable by its owner alone. A name that ends in .json gets lines of JSON, every
  // other protobufs. Errc::io when it cannot be made, or exists.
  static Result<std::unique_ptr<GossipTraceFile>> make(const std::filesystem::path& path,
                                                       const PeerId& node);
  ~GossipTraceFile();

  // Errc::io once, when the disk takes no more: the trace ends there.
  Result<void> write(const GossipTraced& traced);

 private:
  GossipTraceFile(std::FILE* file, const PeerId& node, bool json);

  std::FILE* file_;  // null: ended
  PeerId node_;
  bool json_;
  WallTime flushed_{};
};

}  // namespace kadmesh
