#include "kadsim/trace_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

Result<void> take_word(std::string_view word, LineFilter& into) {
  if (word.starts_with("node=")) {
    std::uint32_t node = 0;
    const char* end = word.data() + word.size();
    if (const auto [at, error] = std::from_chars(word.data() + 5, end, node);
        error != std::errc() || at != end)
      return fail(Errc::invalid,
                  "--trace " + std::string(word) + ": a node is a number, like node=3");
    into.turns.nodes.push_back(node);
  } else if (word.starts_with("kind=")) {
    const auto kind = turn_kind(word.substr(5));
    if (!kind) {
      std::string all;
      for (std::size_t i = 0; i < kTurnKinds; ++i)
        all.append(i == 0 ? "" : ", ").append(name(static_cast<TurnKind>(i)));
      return fail(Errc::invalid, "--trace " + std::string(word) + ": the kinds are " + all);
    }
    into.turns.kinds.push_back(*kind);
  } else {
    into.words.emplace_back(word);
  }
  return {};
}

}  // namespace

Result<LineFilter> LineFilter::parse(std::string_view text) {
  LineFilter out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) RETURN_IF_ERROR(take_word(text.substr(0, end), out));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool LineFilter::wants(const TurnRecord& record, const std::string& line) const {
  return turns.wants(record) && std::ranges::all_of(words, [&](const std::string& word) {
           return line.find(word) != std::string::npos;
         });
}

Result<TraceFile> TraceFile::open(const std::filesystem::path& path, std::string_view filter) {
  TraceFile out;
  ASSIGN_OR_RETURN(out.filter_, LineFilter::parse(filter));
  out.path_ = path;
  // Seen while it is written, and through no link that lay there.
  ::unlink(path.c_str());
  out.file_.reset(std::fopen(path.c_str(), "wx"));
  if (!out.file_) return fail(Errc::io, path.string() + ": " + std::strerror(errno));
  return out;
}

void TraceFile::turn(const TurnRecord& record) {
  if (!file_) return;
  const std::string line = to_text(record);
  if (filter_.wants(record, line)) std::fprintf(file_.get(), "%s\n", line.c_str());
}

void TraceFile::step(Duration now, const std::string& what) {
  if (file_) std::fprintf(file_.get(), "# %s %s\n", to_text(now).c_str(), what.c_str());
}

Result<void> TraceFile::close() {
  if (!file_) return {};
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) == 0 && !failed) return {};
  return fail(Errc::io, path_.string() + ": " + std::strerror(errno));
}

}  // namespace kadmesh::kadsim
