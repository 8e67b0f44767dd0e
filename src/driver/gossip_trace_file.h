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
  // Peers choose how much there is to tell: at so many bytes a trace ends in order.
  static constexpr std::size_t kMost = std::size_t{1} << 30;

  // Made anew, readable by its owner alone. A name that ends in .json gets lines of JSON, every
  // other protobufs. Errc::io when it cannot be made, or exists.
  static Result<std::unique_ptr<GossipTraceFile>> make(const std::filesystem::path& path,
                                                       const PeerId& node);
  GossipTraceFile(const GossipTraceFile&) = delete;
  GossipTraceFile& operator=(const GossipTraceFile&) = delete;
  ~GossipTraceFile();

  // Once, when the trace ends: Errc::io, the disk takes no more; Errc::limit, it is full.
  Result<void> write(const GossipTraced& traced);

 private:
  GossipTraceFile(std::FILE* file, const PeerId& node, bool json);

  std::FILE* file_;  // null: ended
  PeerId node_;
  bool json_;
  std::size_t written_ = 0;
  WallTime flushed_{};
};

}  // namespace kadmesh
