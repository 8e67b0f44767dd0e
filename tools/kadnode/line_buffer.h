// Input cut into lines of a bounded length. A longer one is passed over as it comes, whatever its
// length, and said so once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kadmesh::kadnode {

class LineBuffer {
 public:
  // `most` bytes without the newline.
  explicit LineBuffer(std::size_t most) : most_(most) {}

  void add(std::string_view piece) { waiting_ += piece; }
  // The next whole line without its newline, or Errc::limit; none until more is added.
  std::optional<Result<std::string>> next();
  // At the end of the input: the last line may lack its newline. `next` gave none.
  std::optional<std::string> last();

 private:
  std::optional<Result<std::string>> unfinished();
  Result<std::string> too_long() const;

  std::size_t most_;
  std::string waiting_;
  std::size_t start_ = 0;     // of the next line in waiting_
  std::size_t searched_ = 0;  // no newline stands before it and behind start_
  bool passing_over_ = false;
};

}  // namespace kadmesh::kadnode
