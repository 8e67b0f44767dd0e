// The words behind a command's name, sorted into options and arguments.
//
//   words =  command { option | argument }    "--" ends the options
#pragma once

#include <optional>
#include <span>

#include "base/time.h"
#include "kadnode/words.h"

namespace kadmesh::kadnode {

struct Arguments {
  Words plain;
  bool key_hex = false, data_hex = false, text = false, trace = false;
  std::string file;
  std::string quorum;
  std::optional<Duration> timeout;

  // The arguments from `first` on, as the user typed them but for the space between.
  std::string rest(std::size_t first) const;
};

struct ArgumentOption {
  std::string_view name;
  bool takes_value;
  Result<void> (*set)(Arguments&, const std::string& value);
};
extern const ArgumentOption kKeyHex, kDataHex, kText, kFile, kTrace, kQuorum;

// `options`: those that the command has, besides --timeout, which all have. The first of `words` is
// the command's name. Errc::invalid.
Result<Arguments> sort_words(std::span<const ArgumentOption* const> options, const Words& words);

inline constexpr Duration kLeastTimeout = 1ms;
inline constexpr Duration kMostTimeout = 1h;
// Seconds, with a fraction or without. Errc::invalid.
Result<Duration> parse_timeout(std::string_view text);

}  // namespace kadmesh::kadnode
