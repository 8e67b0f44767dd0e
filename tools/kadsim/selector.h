// Which nodes a step or an expectation is about.
//
//   term     = "all" | NAME | NUMBER | NUMBER ".." [NUMBER]        nodes are numbered from 0
//            | "first" N | "last" N | "random" N                   N: a number, or a share like 10%
//   selector = a term, or a list of them; terms that begin with "!" are taken out again
//
// What a share or a range names beyond the nodes that there are is left out, so that a scenario
// plays with fewer (--nodes); a name or a number that is not there is an error.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "kadsim/fields.h"

namespace kadmesh::kadsim {

using NodeIndex = std::size_t;

// The nodes of a scenario; the first ones may have names.
struct Population {
  std::size_t count = 0;
  std::vector<std::string> names;

  std::string name(NodeIndex node) const;  // "alice", or "7"
};

class Selector {
 public:
  Selector() = default;
  // Errc::invalid says what a term is like.
  static Result<Selector> parse(const std::vector<std::string>& terms,
                                const Population& population);

  bool empty() const { return terms_.empty(); }
  // In ascending order, each once. `pool`: of whom "random" draws, ascending.
  std::vector<NodeIndex> pick(const std::vector<NodeIndex>& pool, Rng& rng) const;
  // For those that draw nobody.
  bool draws() const;

 private:
  enum class Kind { range, first, last, random };
  struct Term {
    Kind kind = Kind::range;
    bool out = false;
    NodeIndex from = 0, to = 0;  // range, both included
    std::size_t count = 0;       // first, last, random
    bool share = false;          // `count` is in millionths
  };

  static Result<Term> parse_term(std::string_view text, const Population& population);
  static Result<Term> parse_count(Kind kind, std::string_view text);
  std::size_t size(const Term& term, std::size_t of) const;
  void add(const Term& term, std::vector<bool>& chosen, bool value) const;

  std::size_t population_ = 0;
  std::vector<Term> terms_;
};

// What it names, if it draws nobody; nobody, if it is empty.
std::vector<NodeIndex> named(const Selector& selector);
// As above, where the rest asks one node after the other.
std::vector<bool> mask(const Selector& selector, std::size_t count);

enum class Draws { allowed, refused };
// One key of a scenario; what is not there leaves `into` as it is.
void read_selector(Fields& fields, std::string_view key, const Population& population, Draws draws,
                   Selector& into);

}  // namespace kadmesh::kadsim
