// One iterative walk towards a target (libp2p specs, kad-dht/README.md, "Peer routing"). It owns
// every request it has outstanding: each is answered, has failed, or is withdrawn.
//
//   heard --next() hands it out--> asked --on_reply--> answered
//                                    |
//                                    +----on_failure, withdraw--> failed
//
// Rules; what is near, and the parts marked *, are policies (kad/policy.h), and stand here as go
// walks:
//   - At most alpha requests in flight. *Once the beta closest that did not fail have answered, the
//     walk has converged and the rest of the k closest are asked at once.
//   - *The closest that was not asked is asked next.
//   - It is finished *when the k closest that did not fail have all answered, or when nobody is
//   left,
//     or its deadline has come; next() looks at the deadline first.
//   - A request that was silent for its stall stops counting against alpha, and the next best is
//     asked in its stead; it still counts as one of the k, so it is waited for. The stall is kStall
//     unless stalls() says otherwise.
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
#include "kad/policy.h"

namespace kadmesh {

// Of whom nothing is known.
class Strangers final : public Acquaintance {
 public:
  bool connected(const PeerId&) const override { return false; }
  Duration patience(const PeerId&) const override { return Duration::zero(); }
  std::uint32_t worth(const PeerId&) const override { return 0; }
};

class Lookup {
 public:
  struct Ask {
    Contact to;
  };
  struct Wait {
    Time until;        // when next() may have something new, without any input
    bool only_silent;  // nobody is outstanding but peers that were silent for their stall
  };
  enum class End {
    converged,  // those whom the walk was after have answered
    starved,    // nobody ever answered, and nobody is left
    expired,
  };
  struct Finished {
    End end;
  };
  using Step = std::variant<Ask, Wait, Finished>;

  Lookup(const PeerId& self, const KadId& target, LookupParams params, Time deadline,
         KadPolicies policies = {})
      : self_(self),
        target_(target),
        params_(params),
        deadline_(deadline),
        policies_(std::move(policies)) {}

  // Somebody to begin with. Of a peer that failed before, it is a second chance.
  void add(const Contact& contact);

  Step next(Time now, const Acquaintance& known = Strangers());
  // About anybody that is not asked these do nothing: late, doubled or invented answers.
  // The peer counts as silent from `when` on.
  void stalls(const PeerId& peer, Time when);
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
    Time stalls{};  // when asked
  };
  using Candidates = std::map<Distance, Candidate>;
  struct Reach;  // what one look at the closest shows

  Reach look(Time now) const;
  Step ask(Time now, const Reach& reach, const Acquaintance& known);
  Distance away(const PeerId& peer) const {
    return policies_.metric->between(KadId::of(peer), target_);
  }
  const Distance* known_at(const PeerId& peer) const;
  const Candidate& candidate_at(const Distance& apart) const;  // of one that is known
  Candidate& candidate_at(const Distance& apart);
  Candidate* asked(const PeerId& peer);
  void hear(const Contact& contact, std::size_t hop);
  static void merge(Contact& known, std::span<const Dialable> addrs);
  void make_room();
  void fail(Candidates::iterator which);
  template <class Wanted>
  std::vector<Contact> closest(std::size_t most, Wanted wanted) const;

  PeerId self_;
  KadId target_;
  LookupParams params_;
  Time deadline_;
  KadPolicies policies_;
  // At most kMostCandidates in both. Those that failed are apart: nothing of a walk looks at them
  // again, and a step looks at no more than the closest few of the others.
  Candidates candidates_, failed_;
  std::map<PeerId, Distance> distances_;  // of both: a hash is dearer than a look
  std::vector<Distance> asked_;           // whose state that is
};

}  // namespace kadmesh
