#include "driver/gossip_trace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gossip/trace_format.h"

namespace kadmesh {
namespace {

// Whoever follows the file sees events so late at most, as long as there are new ones.
constexpr Duration kFlush = 1s;

}  // namespace

Result<std::unique_ptr<GossipTraceFile>> GossipTraceFile::make(const std::filesystem::path& path,
                                                               const PeerId& node) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  std::FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (!file) return fail(Errc::io, "gossip trace " + path.string() + ": " + std::strerror(errno));
  return std::unique_ptr<GossipTraceFile>(
      new GossipTraceFile(file, node, path.extension() == ".json"));
}

GossipTraceFile::GossipTraceFile(std::FILE* file, const PeerId& node, bool json)
    : file_(file), node_(node), json_(json) {}

GossipTraceFile::~GossipTraceFile() {
  if (file_) std::fclose(file_);
}

Result<void> GossipTraceFile::write(const GossipTraced& traced) {
  if (!file_) return {};
  const Bytes event = json_ ? to_bytes(as_bytes(trace_json(node_, traced.when, traced.event)))
                            : trace_protobuf(node_, traced.when, traced.event);
  if (written_ + event.size() > kMost) {
    std::fclose(std::exchange(file_, nullptr));
    return fail(Errc::limit,
                "the gossip trace ends here, at " + std::to_string(written_) + " bytes");
  }
  written_ += event.size();
  bool written = std::fwrite(event.data(), 1, event.size(), file_) == event.size();
  const bool set_back = traced.when < flushed_;
  if (written && (set_back || traced.when - flushed_ >= kFlush)) {
    flushed_ = traced.when;
    written = std::fflush(file_) == 0;
  }
  if (written) return {};
  const int why = errno;
  std::fclose(std::exchange(file_, nullptr));
  return fail(Errc::io, std::string("the gossip trace ends here: ") + std::strerror(why));
}

}  // namespace kadmesh
