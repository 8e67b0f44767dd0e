#include "kadnode/arguments.h"

#include <charconv>

namespace kadmesh::kadnode {
namespace {

constexpr ArgumentOption kTimeout{"--timeout", true, [](Arguments& a, const std::string& value) {
                                    const auto timeout = parse_timeout(value);
                                    if (!timeout)
                                      return Result<void>(std::unexpected(timeout.error()));
                                    a.timeout = *timeout;
                                    return Result<void>();
                                  }};

class Sorter {
 public:
  Sorter(std::span<const ArgumentOption* const> options, const Words& words)
      : options_(options), words_(words) {}

  Result<Arguments> sort() {
    while (next_ < words_.size()) RETURN_IF_ERROR(take(words_[next_++]));
    return std::move(arguments_);
  }

 private:
  Result<void> take(const std::string& word) {
    if (options_ended_ || !word.starts_with("--")) {
      arguments_.plain.push_back(word);
      return {};
    }
    options_ended_ = word == "--";
    return options_ended_ ? Result<void>() : option(word);
  }

  Result<void> option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const ArgumentOption* option = find(std::string_view(word).substr(0, equals));
    if (!option) return fail(Errc::invalid, "unknown option " + shortened(word));
    if (!option->takes_value && equals != std::string::npos)
      return fail(Errc::invalid, std::string(option->name) + " takes no value");
    if (!option->takes_value) return option->set(arguments_, {});
    if (equals != std::string::npos) return option->set(arguments_, word.substr(equals + 1));
    if (next_ == words_.size()) return fail(Errc::invalid, word + " needs a value");
    return option->set(arguments_, words_[next_++]);
  }

  const ArgumentOption* find(std::string_view name) const {
    if (name == kTimeout.name) return &kTimeout;
    for (const ArgumentOption* option : options_)
      if (option && option->name == name) return option;
    return nullptr;
  }

  std::span<const ArgumentOption* const> options_;
  const Words& words_;
  std::size_t next_ = 1;
  bool options_ended_ = false;
  Arguments arguments_;
};

}  // namespace

const ArgumentOption kKeyHex{"--hex", false, [](Arguments& a, const std::string&) {
                               a.key_hex = true;
                               return Result<void>();
                             }};
const ArgumentOption kDataHex{"--data-hex", false, [](Arguments& a, const std::string&) {
                                a.data_hex = true;
                                return Result<void>();
                              }};
const ArgumentOption kText{"--text", false, [](Arguments& a, const std::string&) {
                             a.text = true;
                             return Result<void>();
                           }};
const ArgumentOption kTrace{"--trace", false, [](Arguments& a, const std::string&) {
                              a.trace = true;
                              return Result<void>();
                            }};
const ArgumentOption kQuorum{"--quorum", true, [](Arguments& a, const std::string& value) {
                               a.quorum = value;
                               return Result<void>();
                             }};
const ArgumentOption kFile{"--file", true, [](Arguments& a, const std::string& value) {
                             a.file = value;
                             return value.empty() ? fail(Errc::invalid, "--file needs a name")
                                                  : Result<void>();
                           }};

std::string Arguments::rest(std::size_t first) const {
  std::string all;
  for (std::size_t i = first; i < plain.size(); ++i)
    all.append(i > first ? " " : "").append(plain[i]);
  return all;
}

Result<Arguments> sort_words(std::span<const ArgumentOption* const> options, const Words& words) {
  return Sorter(options, words).sort();
}

Result<Duration> parse_timeout(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const std::chrono::duration<double> wanted(seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(wanted >= kLeastTimeout) ||
      !(wanted <= kMostTimeout))
    return fail(Errc::invalid, quoted(text) + " is no number of seconds from 0.001 to 3600");
  return std::chrono::duration_cast<Duration>(wanted);
}

}  // namespace kadmesh::kadnode
