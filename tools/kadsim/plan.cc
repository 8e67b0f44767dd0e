#include "kadsim/plan.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "kadsim/toml_file.h"

namespace kadmesh::kadsim {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

Result<Seeds> parse_seeds(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto first = number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
  if (!first || !last)
    return fail(Errc::invalid,
                "--seeds " + std::string(text) + ": seeds are like 1..1000, or one number");
  if (*last < *first)
    return fail(Errc::invalid, "--seeds " + std::string(text) + ": the last is before the first");
  if (*last - *first >= kMostRuns)
    return fail(Errc::invalid, "--seeds " + std::string(text) + ": at most " +
                                   std::to_string(kMostRuns) + " at once");
  return Seeds{*first, *last};
}

Result<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto index = number(text.substr(0, slash));
  const auto of = slash == std::string_view::npos ? std::nullopt : number(text.substr(slash + 1));
  if (!index || !of || *index == 0 || *index > *of)
    return fail(Errc::invalid, "--shard " + std::string(text) + ": a shard is like 1/8, up to 8/8");
  return Shard{*index, *of};
}

Result<Variation> parse_variation(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size())
    return fail(Errc::invalid, "--vary " + std::string(text) + ": it is like gossip.d=4,6,8");
  Variation out{std::string(text.substr(0, equals)), {}};
  for (const std::string_view value : split(text.substr(equals + 1), ',')) {
    if (value.empty() || value.find(' ') != std::string_view::npos)
      return fail(Errc::invalid, "--vary " + std::string(text) +
                                     ": values are separated by commas, without spaces");
    out.values.emplace_back(value);
  }
  return out;
}

Result<std::vector<std::string>> variants(const std::vector<Variation>& variations) {
  std::vector<std::string> all{""};
  for (const Variation& variation : variations) {
    std::vector<std::string> longer;
    if (all.size() * variation.values.size() > kMostRuns)
      return fail(Errc::limit,
                  "so many variants are too many: at most " + std::to_string(kMostRuns));
    for (const std::string& before : all)
      for (const std::string& value : variation.values) {
        std::string& one = longer.emplace_back(before);
        one.append(before.empty() ? "" : " ").append(variation.key).append("=").append(value);
      }
    all = std::move(longer);
  }
  return all;
}

Result<std::vector<PlannedRun>> plan(const std::vector<Variation>& variations, Seeds seeds,
                                     Shard shard) {
  ASSIGN_OR_RETURN(const auto all, variants(variations));
  if (all.size() > kMostRuns / seeds.count())
    return fail(Errc::limit, std::to_string(all.size()) + " variants of " +
                                 std::to_string(seeds.count()) +
                                 " seeds are too many runs: at most " + std::to_string(kMostRuns));
  std::vector<PlannedRun> runs;
  std::uint64_t place = 0;
  for (const std::string& variant : all)
    for (std::uint64_t i = 0; i < seeds.count(); ++i)
      if (place++ % shard.of == shard.index - 1) runs.push_back({variant, seeds.first + i});
  return runs;
}

Result<void> apply_setting(Table& scenario, std::string_view setting) {
  const std::size_t equals = setting.find('=');
  if (equals == 0 || equals == std::string_view::npos)
    return fail(Errc::invalid, "'" + std::string(setting) + "': a setting is like gossip.d=8");
  const auto done =
      set(scenario, setting.substr(0, equals), parse_value(setting.substr(equals + 1)));
  if (!done) return fail(Errc::invalid, "'" + std::string(setting) + "': " + done.error().detail);
  return {};
}

Result<void> apply_variant(Table& scenario, std::string_view variant) {
  if (variant.empty()) return {};
  for (const std::string_view setting : split(variant, ' '))
    RETURN_IF_ERROR(apply_setting(scenario, setting));
  return {};
}

std::string shell_word(std::string_view text) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+%@";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out.append("'\\''");
    else
      out.push_back(c);
  }
  return out + "'";
}

std::string as_options(std::string_view variant) {
  std::string out;
  if (variant.empty()) return out;
  for (const std::string_view setting : split(variant, ' '))
    out.append(out.empty() ? "" : " ").append("--set ").append(shell_word(setting));
  return out;
}

}  // namespace kadmesh::kadsim
