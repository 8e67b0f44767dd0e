#include "kadsim/files.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

auto failed(const fs::path& file) {
  return fail(Errc::io, file.string() + ": " + std::strerror(errno == 0 ? EIO : errno));
}
auto refused(const fs::path& file, const std::string& why) {
  return fail(Errc::io, file.string() + ": " + why);
}

Result<void> check_kind(const fs::path& file, const struct stat& about, std::uintmax_t most) {
  if (S_ISDIR(about.st_mode)) return refused(file, "a directory");
  if (!S_ISREG(about.st_mode)) return refused(file, "no regular file");
  if (static_cast<std::uintmax_t>(about.st_size) <= most) return {};
  return refused(file, std::to_string(about.st_size) + " bytes; at most " + std::to_string(most) +
                           " are read");
}

// Until its end, or more than there may be.
bool read_all(int from, std::uintmax_t most, std::string& into) {
  std::array<char, 65536> buffer;
  while (into.size() <= most) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    into.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return true;
}

bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(to, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A name beside the file's that nobody can have guessed.
fs::path part_of(const fs::path& file) {
  std::array<unsigned char, 16> luck{};
  static_cast<void>(::getrandom(luck.data(), luck.size(), 0));
  fs::path part = file;
  part += ".part-";
  for (const unsigned char byte : luck) part += "0123456789abcdef"[byte % 16];
  return part;
}

}  // namespace

Result<std::string> read_file(const fs::path& file, std::uintmax_t most) {
  // Opening a pipe would wait for its writer.
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about{};
  if (!in || ::fstat(in.get(), &about) != 0) return failed(file);
  RETURN_IF_ERROR(check_kind(file, about, most));
  std::string text;
  if (!read_all(in.get(), most, text)) return failed(file);
  if (text.size() > most)
    return refused(file, "it grows; at most " + std::to_string(most) + " bytes are read");
  return text;
}

Result<void> write_file(const fs::path& file, std::string_view text) {
  const fs::path part = part_of(file);
  Descriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!out) return failed(file);
  if (write_all(out.get(), text) && out.close() && std::rename(part.c_str(), file.c_str()) == 0)
    return {};
  const int why = errno;
  ::unlink(part.c_str());
  errno = why;
  return failed(file);
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (fs::is_directory(folder, error)) return {};
  return refused(folder, error ? error.message() : "not a directory");
}

}  // namespace kadmesh::kadsim
