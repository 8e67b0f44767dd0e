#include "driver/capture_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "replay/code_names.h"

namespace kadmesh {
namespace {

class CaptureFile {
 public:
  explicit CaptureFile(int fd) : fd_(fd) {}
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;
  ~CaptureFile() {
    ::fdatasync(fd_);
    ::close(fd_);
  }

  Result<void> write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(Errc::io, std::strerror(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

 private:
  const int fd_;
};

}  // namespace

Result<Recorder> recorder_for(const RecordTo& to, const NodeConfig& config) {
  RETURN_IF_ERROR(replay::recordable(config));
  if (to.redact && config.swarm.keylog)
    return fail(Errc::invalid, "a redacted recording and a key log exclude each other");
  const int fd = ::open(to.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, "record to " + to.file.string() + ": " + std::strerror(errno));
  const auto secrets = to.redact ? Recorder::Secrets::left_out : Recorder::Secrets::kept;
  const auto file = std::make_shared<CaptureFile>(fd);
  return Recorder([file](ByteView bytes) { return file->write(bytes); }, to.most, secrets);
}

void unlink_recording(const RecordTo& to) { ::unlink(to.file.c_str()); }

}  // namespace kadmesh
