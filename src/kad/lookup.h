// One iterative walk towards a target (libp2p specs, kad-dht/README.md, "Peer routing"). It owns
// every request it has outstanding: each is answered, has failed, or is withdrawn.
//
//   heard --next() hands it out--> asked --on_reply--> answered
//                                    |
//                                    +----on_failure, withdraw--> failed
//
// Rules, as go walks:
//   - At most alpha requests in flight. Once the beta closest that did not fail have answered, the
//     walk has converged and the rest of the k closest are asked at once.
//   - It is finished when the k closest that did not fail have all answered, or nobody is left, or
//     its deadline has come; next() looks at the deadline first.
//   - A request that is silent for kStall stops counting against alpha, and the next best is asked
//     in its stead; it still counts as one of the k, so it is waited for.
//   - Of an answer, our own id, the answering peer, what is known already and whatever exceeds 2k
//     peers are ignored. What is heard lives here and dies with the walk.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "kad/key.h"

namespace kadmesh {

struct LookupParams {
  std::size_t k = 20, alpha = 10, beta = 3;
};

class Lookup {
 public:
  struct Ask {
    Contact to;
  };
  struct Wait {
    Time until;        // when next() may have something new, without any input
    bool only_silent;  // nobody is outstanding but peers that were silent for kStall
  };
  enum class End {
    converged,  // the k closest that did not fail have answered
    starved,    // nobody ever answered, and nobody is left
    expired,
  };
  struct Finished {
    End end;
  };
  using Step = std::variant<Ask, Wait, Finished>;

  Lookup(const PeerId& self, const KadId& target, LookupParams params, Time deadline)
      : self_(self), target_(target), params_(params), deadline_(deadline) {}

  // Somebody to begin with. Of a peer that failed before, it is a second chance.
  void add(const Contact& contact);

  Step next(Time now);
  // About anybody that is not asked these do nothing: late, doubled or invented answers.
  void on_reply(const PeerId& peer, std::span<const Contact> closer);
  void on_failure(const PeerId& peer);
  // Gives up on all that are outstanding, and names them.
  std::vector<PeerId> withdraw();

  // Those that answered, closest first.
  std::vector<Contact> answered(std::size_t most) const;
  // Those that did not fail, asked or not, closest first.
  std::vector<Contact> known(std::size_t most) const;
  // What was heard of one peer.
  const Contact* heard_of(const PeerId& peer) const;
  struct Counts {
    std::size_t asked = 0, answered = 0, failed = 0, hops = 0;
  };
  Counts counts() const;

 private:
  enum class State { heard, asked, answered, failed };
  struct Candidate {
    Contact contact;
    State state = State::heard;
    std::size_t hop = 1;
    Time asked_at{};
  };

  Candidate* asked(const PeerId& peer);
  void hear(const Contact& contact, std::size_t hop);
  static void merge(Contact& known, std::span<const Dialable> addrs);
  void make_room();
  bool converging() const;
  template <class Wanted>
  std::vector<Contact> closest(std::size_t most, Wanted wanted) const;

  PeerId self_;
  KadId target_;
  LookupParams params_;
  Time deadline_;
  std::map<Distance, Candidate> candidates_;  // at most kMostCandidates
};

}  // namespace kadmesh
