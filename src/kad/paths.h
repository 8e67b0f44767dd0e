// One walk as d lookups whose peers are disjoint (Baumgart and Mies, "S/Kademlia", 4.4): who lies
// misleads the path that asked it, and no other.
//
// Rules:
//   - A peer is asked once, by the path that comes to it first. Where others come to it as well, it
//     counts as answered or failed once it has, and its closer peers are heard by its own path
//     alone.
//   - Those to begin with are dealt to the paths in turn, and alpha is shared out, rounded up. A
//     path that got nobody is over at once.
//   - It is finished when every path is. Among honest peers all paths come to the same k closest;
//     otherwise answered() is more than k, as nobody can say which of the paths was misled.
//   - With d = 1 it is a Lookup and nothing more.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "kad/lookup.h"

namespace kadmesh {

class Paths {
 public:
  Paths(const PeerId& self, const KadId& target, LookupParams params, std::size_t count,
        Time deadline, KadPolicies policies = {});

  // All as of Lookup.
  void add(const Contact& contact);
  Lookup::Step next(Time now, const Acquaintance& known = Strangers());
  void stalls(const PeerId& peer, Time when);
  void on_reply(const PeerId& peer, std::span<const Contact> closer);
  void on_failure(const PeerId& peer);
  std::vector<PeerId> withdraw();

  // The `most` closest of each path, closest first, nobody twice.
  std::vector<Contact> answered(std::size_t most) const;
  std::vector<Contact> known(std::size_t most) const;
  const Contact* heard_of(const PeerId& peer) const;
  Lookup::Counts counts() const;

 private:
  enum class State { asked, answered, failed };
  struct Owned {  // by the path that asked it
    std::size_t path;
    State state = State::asked;
  };

  bool single() const { return paths_.size() == 1; }
  Lookup::Step step(std::size_t path, Time now, const Acquaintance& known);
  Distance away(const PeerId& peer) const {
    return policies_.metric->between(KadId::of(peer), target_);
  }
  bool asks(std::size_t path, const PeerId& peer);
  Owned* asked(const PeerId& peer);

  KadId target_;
  KadPolicies policies_;
  std::vector<Lookup> paths_;
  std::map<PeerId, Owned> owned_;  // empty with a single path
  std::size_t deal_ = 0, turn_ = 0;
};

}  // namespace kadmesh
