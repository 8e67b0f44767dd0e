#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "store/sqlite_store.h"

namespace kadmesh {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kSuffixes{"", "-wal", "-shm"};

fs::path with(const fs::path& file, const char* suffix) { return file.string() + suffix; }

bool is_taken(const fs::path& name) {
  std::error_code none;
  for (const char* const suffix : kSuffixes)
    if (fs::exists(fs::symlink_status(with(name, suffix), none))) return true;
  return false;
}

fs::path free_name(const fs::path& file) {
  fs::path name = with(file, ".damaged");
  for (int number = 2; is_taken(name); ++number)
    name = file.string() + ".damaged-" + std::to_string(number);
  return name;
}

// A second name, or where the file system has no such thing a copy.
void link_or_copy(const fs::path& from, const fs::path& to, std::error_code& error) {
  fs::create_hard_link(from, to, error);
  if (error) fs::copy_file(from, to, error);
}

void sync_directory(const fs::path& path, std::error_code& error) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || ::fsync(directory) != 0)
    error = std::error_code(errno, std::generic_category());
  if (directory >= 0) ::close(directory);
}

// The log has both names before the file has its new one: wherever this ends, a file that is there
// has its log beside it. A log alone says nothing to a store that is made anew.
void move(const fs::path& file, const fs::path& to, std::error_code& error) {
  if (fs::exists(with(file, "-wal"), error))
    link_or_copy(with(file, "-wal"), with(to, "-wal"), error);
  if (!error) fs::rename(file, to, error);
  if (!error) fs::remove(with(file, "-wal"), error);
  if (!error) fs::remove(with(file, "-shm"), error);
  if (!error) sync_directory(to.parent_path(), error);
}

}  // namespace

Result<fs::path> SqliteStore::set_aside(const fs::path& file) {
  std::error_code error;
  // What a link leads to, as SQLite has its log there.
  const fs::path real = fs::canonical(file, error);
  fs::path to = free_name(real);
  if (!error) move(real, to, error);
  if (error) return fail(Errc::io, "store " + file.string() + ": " + error.message());
  return to;
}

}  // namespace kadmesh
