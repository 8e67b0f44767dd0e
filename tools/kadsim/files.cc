#include "kadsim/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace kadmesh::kadsim {

namespace fs = std::filesystem;

namespace {
auto failed(const fs::path& file) {
  return fail(Errc::io, file.string() + ": " + std::strerror(errno == 0 ? EIO : errno));
}
}  // namespace

Result<std::string> read_file(const fs::path& file) {
  errno = 0;
  std::error_code error;
  if (fs::is_directory(file, error)) return fail(Errc::io, file.string() + ": a directory");
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed(file);
  std::ostringstream text;
  // Of an empty file nothing can be taken out, which is no failure.
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (in.bad()) return failed(file);
  return std::move(text).str();
}

Result<void> write_file(const fs::path& file, std::string_view text) {
  fs::path half = file;
  half += ".part";
  errno = 0;
  {
    std::ofstream out(half, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) return failed(half);
  }
  std::error_code error;
  fs::rename(half, file, error);
  if (error) return fail(Errc::io, file.string() + ": " + error.message());
  return {};
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (fs::is_directory(folder, error)) return {};
  return fail(Errc::io, folder.string() + ": " + (error ? error.message() : "not a directory"));
}

}  // namespace kadmesh::kadsim
