// The file of a recording (replay/capture.h): made anew, readable by its owner alone.
//
// Each input is handed to the kernel before the node sees it, in one write() that goes no further
// than the page cache: a process that dies loses nothing, and the kernel writes to the disk in its
// own time. A machine that dies loses what the kernel still had, and the capture ends there.
#pragma once

#include <cstddef>
#include <filesystem>

#include "replay/recorder.h"

namespace kadmesh {

struct RecordTo {
  std::filesystem::path file;
  std::size_t most = Recorder::kUsualMost;  // bytes; recording ends in order before there are more
  bool redact = false;                      // no keys, nor what they encrypted
};

// Errc::io when the file cannot be made, or exists; Errc::unsupported for a configuration that a
// capture cannot hold.
Result<Recorder> recorder_for(const RecordTo& to, const NodeConfig& config);
// Of a node that never was: its file holds a private key, and would be in the next one's way.
void unlink_recording(const RecordTo& to);

}  // namespace kadmesh
