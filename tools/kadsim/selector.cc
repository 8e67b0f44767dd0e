#include "kadsim/selector.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

std::optional<std::size_t> number(std::string_view text) {
  std::size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text = trimmed(text.substr(word.size()));
  return true;
}

}  // namespace

std::string Population::name(NodeIndex node) const {
  return node < names.size() ? names[node] : std::to_string(node);
}

Result<Selector> Selector::parse(const std::vector<std::string>& texts,
                                 const Population& population) {
  Selector selector;
  selector.population_ = population.count;
  bool any = false;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const Term term, parse_term(trimmed(text), population));
    any = any || !term.out;
    selector.terms_.push_back(term);
  }
  if (!any) return fail(Errc::invalid, "nobody is named; for example all, 0, 3..7 or random 5");
  return selector;
}

Result<Selector::Term> Selector::parse_term(std::string_view text, const Population& population) {
  if (take(text, "!")) {
    ASSIGN_OR_RETURN(Term term, parse_term(text, population));
    if (term.out || term.kind == Kind::random)
      return fail(Errc::invalid, "'!' goes before nodes, not before a draw or another '!'");
    term.out = true;
    return term;
  }
  Term term;
  if (const auto at = std::ranges::find(population.names, text); at != population.names.end()) {
    term.from = term.to = static_cast<NodeIndex>(at - population.names.begin());
    if (term.from < population.count) return term;
    return fail(Errc::invalid, "'" + std::string(text) + "' is not among so few nodes");
  }
  if (text == "all") {
    term.to = population.count - 1;
    return term;
  }
  std::string_view rest = text;
  if (take(rest, "first ")) return parse_count(Kind::first, rest);
  if (take(rest, "last ")) return parse_count(Kind::last, rest);
  if (take(rest, "random ")) return parse_count(Kind::random, rest);
  const std::size_t dots = text.find("..");
  const auto from = number(text.substr(0, dots));
  if (!from)
    return fail(Errc::invalid, "'" + std::string(text) +
                                   "' is no node; name one, or all, 0, 3..7, first 2, last 10%, "
                                   "random 5");
  term.from = term.to = *from;
  if (dots != std::string_view::npos) {
    term.to = number(text.substr(dots + 2)).value_or(population.count - 1);
    if (text.size() > dots + 2 && !number(text.substr(dots + 2)))
      return fail(Errc::invalid,
                  "'" + std::string(text) + "' is no range; one is like 3..7 or 3..");
    term.to = std::min(term.to, population.count - 1);
  } else if (term.from >= population.count) {
    return fail(Errc::invalid, "there is no node " + std::string(text) + ": they are 0.." +
                                   std::to_string(population.count - 1));
  }
  return term;
}

Result<Selector::Term> Selector::parse_count(Kind kind, std::string_view text) {
  Term term;
  term.kind = kind;
  if (text.ends_with('%')) {
    ASSIGN_OR_RETURN(term.count, parse_share(text));
    term.share = true;
  } else if (const auto count = number(text)) {
    term.count = *count;
  } else {
    return fail(Errc::invalid,
                "'" + std::string(text) + "' is no number of nodes; one is like 5 or 10%");
  }
  return term;
}

bool Selector::draws() const {
  return std::ranges::any_of(terms_, [](const Term& term) { return term.kind == Kind::random; });
}

std::size_t Selector::size(const Term& term, std::size_t of) const {
  if (!term.share) return std::min(term.count, of);
  // A share of somebody is at least one.
  const std::size_t part = of * term.count / kWhole;
  return part == 0 && term.count > 0 ? std::min<std::size_t>(1, of) : part;
}

void Selector::add(const Term& term, std::vector<bool>& chosen, bool value) const {
  NodeIndex from = term.from, to = term.to;
  if (term.kind != Kind::range) {
    const std::size_t count = size(term, population_);
    if (count == 0) return;
    from = term.kind == Kind::first ? 0 : population_ - count;
    to = from + count - 1;
  }
  for (NodeIndex i = from; i <= to && i < population_; ++i) chosen[i] = value;
}

std::vector<NodeIndex> Selector::pick(const std::vector<NodeIndex>& pool, Rng& rng) const {
  std::vector<bool> chosen(population_), out(population_);
  for (const Term& term : terms_)
    if (term.out) add(term, out, true);
  for (const Term& term : terms_)
    if (!term.out && term.kind != Kind::random) add(term, chosen, true);
  for (const Term& term : terms_) {
    if (term.kind != Kind::random) continue;
    std::vector<NodeIndex> open;
    for (const NodeIndex node : pool)
      if (!chosen[node] && !out[node]) open.push_back(node);
    const std::size_t count = size(term, open.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(open[i], open[i + rng.below(open.size() - i)]);
      chosen[open[i]] = true;
    }
  }
  std::vector<NodeIndex> all;
  for (NodeIndex i = 0; i < population_; ++i)
    if (chosen[i] && !out[i]) all.push_back(i);
  return all;
}

std::vector<NodeIndex> named(const Selector& selector) {
  Rng unused(0);
  return selector.empty() ? std::vector<NodeIndex>() : selector.pick({}, unused);
}

std::vector<bool> mask(const Selector& selector, std::size_t count) {
  std::vector<bool> out(count);
  for (const NodeIndex node : named(selector)) out[node] = true;
  return out;
}

void read_selector(Fields& fields, std::string_view key, const Population& population, Draws draws,
                   Selector& into) {
  std::vector<std::string> terms;
  fields.read(key, terms);
  if (!fields.has(key) || !fields.good()) return;
  auto parsed = Selector::parse(terms, population);
  if (!parsed) return fields.wrong(key, parsed.error().detail);
  if (draws == Draws::refused && parsed->draws())
    return fields.wrong(key, "nothing is drawn here, where it must be known who is meant");
  into = *std::move(parsed);
}

}  // namespace kadmesh::kadsim
