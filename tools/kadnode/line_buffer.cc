#include "kadnode/line_buffer.h"

#include <utility>

namespace kadmesh::kadnode {

std::optional<Result<std::string>> LineBuffer::next() {
  const std::size_t end = waiting_.find('\n', searched_);
  if (end == std::string::npos) return unfinished();
  std::string line = waiting_.substr(start_, end - start_);
  start_ = searched_ = end + 1;
  if (std::exchange(passing_over_, false)) return next();
  return line.size() > most_ ? too_long() : std::move(line);
}

std::optional<Result<std::string>> LineBuffer::unfinished() {
  waiting_.erase(0, std::exchange(start_, 0));
  const bool fits = waiting_.size() <= most_;
  if (passing_over_ || !fits) waiting_.clear();
  searched_ = waiting_.size();
  if (fits || std::exchange(passing_over_, true)) return std::nullopt;
  return too_long();
}

std::optional<std::string> LineBuffer::last() {
  if (waiting_.empty() || passing_over_) return std::nullopt;
  return std::exchange(waiting_, {});
}

Result<std::string> LineBuffer::too_long() const {
  return fail(Errc::limit, "a line has more than " + std::to_string(most_) + " bytes");
}

}  // namespace kadmesh::kadnode
