#include "driver/identity_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/crypto.h"
#include "driver/machine.h"

namespace kadmesh {
namespace {

constexpr std::size_t kMostFile = 4096;  // an Ed25519 key takes 68 bytes

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> failed(const std::filesystem::path& file, int error) {
  return fail(error == ENOENT ? Errc::not_found : Errc::io,
              "identity " + file.string() + ": " + std::strerror(error));
}

Result<Bytes> contents(const std::filesystem::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return failed(file, errno);
  struct stat about{};
  if (::fstat(in.get(), &about) != 0) return failed(file, errno);
  if ((about.st_mode & 077) != 0)
    return fail(Errc::invalid,
                "identity " + file.string() +
                    ": others can read this secret; chmod 600 it, or make a new one");
  Bytes bytes(kMostFile);
  const ssize_t count = ::read(in.get(), bytes.data(), bytes.size());
  if (count < 0) return failed(file, errno);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace

Result<KeyPair> read_identity(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(Bytes bytes, contents(file));
  auto identity = KeyPair::from_proto(bytes);
  wipe(bytes);
  if (!identity)
    return fail(identity.error().code,
                "identity " + file.string() + ": " + identity.error().detail);
  return identity;
}

Result<void> write_identity(const std::filesystem::path& file, const KeyPair& identity) {
  // A name of its own each time: what a process left that died here is in nobody's way.
  std::string draft = file.string() + ".XXXXXX";
  const Descriptor out(::mkostemp(draft.data(), O_CLOEXEC));  // with mode 0600
  if (out.get() < 0) return failed(file, errno);
  Bytes bytes = identity.proto();
  const ssize_t count = ::write(out.get(), bytes.data(), bytes.size());
  const bool whole = count == static_cast<ssize_t>(bytes.size()) && ::fsync(out.get()) == 0;
  wipe(bytes);
  // link() and not rename(): it fails when the name is taken.
  const bool named = whole && ::link(draft.c_str(), file.c_str()) == 0;
  const int error = errno;
  ::unlink(draft.c_str());
  return named ? Result<void>() : failed(file, error);
}

Result<KeyPair> read_or_make_identity(const std::filesystem::path& file) {
  auto identity = read_identity(file);
  if (identity || identity.error().code != Errc::not_found) return identity;
  Rng rng(machine_entropy());
  KeyPair made = KeyPair::make(rng);
  const auto written = write_identity(file, made);
  if (written) return made;
  // Another process may have been faster: then its key is the one.
  identity = read_identity(file);
  return identity ? identity : std::unexpected(written.error());
}

}  // namespace kadmesh
