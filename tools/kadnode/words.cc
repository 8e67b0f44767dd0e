#include "kadnode/words.h"

#include <optional>
#include <utility>

namespace kadmesh::kadnode {
namespace {

constexpr std::size_t kMostShown = 64;

//   between --'--> single --'--> between          in single quotes nothing is special
//   between --"--> double --"--> between          in double quotes a backslash is
class Splitter {
 public:
  Result<Words> split(std::string_view line) {
    for (const char c : line) take(c);
    if (quote_) return fail(Errc::invalid, std::string("a quote is left open: ") + *quote_);
    if (escaped_) return fail(Errc::invalid, "a backslash stands at the end");
    end_word();
    return std::move(words_);
  }

 private:
  void take(char c) {
    if (std::exchange(escaped_, false)) return add(c);
    if (c == '\\' && quote_ != '\'') {
      escaped_ = in_word_ = true;
      return;
    }
    if (quote_) return c == *quote_ ? quote_.reset() : add(c);
    if (c == '\'' || c == '"') {
      quote_ = c;
      in_word_ = true;
      return;
    }
    if (c == ' ' || c == '\t' || c == '\r') return end_word();
    add(c);
  }

  void add(char c) {
    word_ += c;
    in_word_ = true;
  }

  void end_word() {
    if (std::exchange(in_word_, false)) words_.push_back(std::exchange(word_, {}));
  }

  Words words_;
  std::string word_;
  bool in_word_ = false, escaped_ = false;
  std::optional<char> quote_;
};

}  // namespace

Result<Words> split_words(std::string_view line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos || line[start] == '#') return Words{};
  return Splitter().split(line);
}

std::string quoted(std::string_view word) { return "'" + shortened(word) + "'"; }

std::string shortened(std::string_view text) {
  if (text.size() <= kMostShown) return std::string(text);
  return std::string(text.substr(0, kMostShown)) + "...";
}

}  // namespace kadmesh::kadnode
