// The serving half: one request of a peer in, one answer out (libp2p specs, kad-dht/README.md, "RPC
// messages"; where it leaves room, as go-libp2p-kad-dht's handlers.go does).
//
//   FIND_NODE      the k closest servers we know of without the one who asks, and before them the
//                  target itself, if we know an address of it: also when it asks, or is ourselves
//   GET_VALUE      the record, if it is here and still valid, and closer peers
//                  It says how long the record is still to be kept
//   PUT_VALUE      valid, under its own key and no worse than what is here: stored, and echoed.
//                  Charged to the sender (store/record.h), unless the same value is here: that
//                  stays whose it was, for peers hand on what others have put
//                  Kept for record_ttl, or as long as its sender would keep it if that is less, and
//                  half as long for every server nearer to the key than we are, beyond the k who
//                  are to have it: what reaches us by a detour fades, to kMostHalvings halves. No
//                  less than what was here
//   GET_PROVIDERS  providers, in no order of theirs, and closer peers. Addresses that a provider
//                  named are handed on for kProviderAddrTtl, then what else is known of it
//   ADD_PROVIDER   about the sender alone, with an address: stored, if it is among those of the key
//                  that are kept (kad/provider_set.h), and received when it first came. Never
//                  answered. Of the addresses those that its signed record has, if identify brought
//                  one
//   PING           answered with nothing but its type
//
// Of one key those that write stand in line (kad/write_lines.h), and where somebody else has
// written all the same, namely ourselves, look again before they do. For the store kMostInbound may
// wait, kMostOfCharge for one charge; what needs no store is answered however many wait for it.
//
// What is refused ends in a reset of the stream. Answers repeat nothing of a request but a stored
// record. Validation is on writing and on reading out; what has become invalid is erased, as long
// as it is that which is there.
//
//   asked --> answered                    (FIND_NODE, PING)
//   asked [--> in line] --> loading [<--> saving] --> answered
//   any of these --> refused
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "kad/action.h"
#include "kad/query.h"
#include "kad/rows.h"
#include "kad/stats.h"
#include "kad/write_lines.h"

namespace kadmesh {

class Server {
 public:
  struct Answer {  // none for ADD_PROVIDER
    std::optional<Bytes> message;
  };
  struct Refuse {
    Error why;
  };
  // A store request that on_stored will answer, or one that nobody waits for.
  struct Use {
    StoreRequest request;
  };
  struct Hold {};  // it is in line: poll_next() will name it
  using Step = std::variant<Answer, Refuse, Use, Hold>;

  explicit Server(const KadView& view) : view_(view), home_(kadmesh::place_of(view.self.bytes())) {}

  // Answer and Refuse end the request; after Use comes on_stored, or at kInboundDeadline expire(),
  // which also ends what is held.
  Step on_request(Turn turn, KadInboundId id, const PeerId& from, ByteView message);
  // None for a request that has ended.
  std::optional<Step> on_stored(Turn turn, KadInboundId id, const StoreResult& result);
  // One request that the store has kept waiting for too long.
  std::optional<std::pair<KadInboundId, Refuse>> expire(Time now);
  Time next_timer() const;

  // One whose turn in its line has come, to be asked of the store as after Use.
  std::optional<std::pair<KadInboundId, StoreRequest>> poll_next();

  // A row that reading out has shown to be invalid, or a provider that gave way; behind the answer
  // and before who is next.
  std::optional<StoreRequest> poll_cleanup();

  std::size_t waiting() const { return waiting_.size(); }
  const InboundStats& ended() const { return ended_; }

 private:
  enum class Stage { in_line, loading, saving };
  struct Waiting {
    PeerId from;
    KadMessage request;
    Stage stage;
    Time deadline;
    std::uint64_t charge;            // of what it wants kept; by now it may have left
    std::vector<Bytes> displaced{};  // the providers that give way to it
  };

  Step serve(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Outcomes& outcomes(KadType type) { return ended_.ended[static_cast<std::size_t>(type)]; }

  // First what is stored of its key; then, of some, a row that is charged to its sender.
  Step load(Turn turn, KadInboundId id, const PeerId& from, KadMessage request, Kind kind);
  Step load_in_line(Turn turn, KadInboundId id, const PeerId& from, KadMessage request, Kind kind);
  void leave_line(KadInboundId id, const Waiting& waiting);
  Step look_again(Waiting& waiting);
  Step not_stored(Waiting& waiting, const Error& why);
  Step continued(Turn turn, Waiting& waiting, const StoreRows& rows);
  // `seen`: what is to be replaced; of what has no rival anything may be.
  Step save(Waiting& waiting, Row row, std::optional<StoreRows> seen);
  Step find_node(const PeerId& from, const KadMessage& request) const;
  Step begin(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_get_value(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_put_value(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_providers(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_add_provider(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step get_value(Turn turn, const Waiting& waiting, const StoreRows& rows);
  Step put_value(Turn turn, Waiting& waiting, const StoreRows& rows);
  Step get_providers(Turn turn, const Waiting& waiting, const StoreRows& rows) const;
  Step add_provider(Turn turn, Waiting& waiting, const StoreRows& rows);
  Step saved(const Waiting& waiting);

  bool too_many_of(std::uint64_t charge) const;
  WallTime expiry(Turn turn, const KadRecord& record) const;
  std::size_t beyond_k(const Bytes& key) const;
  std::vector<Multiaddr> named_addrs(const PeerId& from, std::vector<Multiaddr> said) const;
  std::vector<Multiaddr> current_addrs(Turn turn, const PeerId& provider, const Row& row) const;
  std::vector<KadPeer> closer(const KadMessage& request, const PeerId& from) const;
  KadPeer entry(const PeerId& peer, const std::vector<Dialable>& addrs) const;

  const KadView& view_;
  const std::uint64_t home_;                 // our own place: Save
  std::map<KadInboundId, Waiting> waiting_;  // ids grow, and so do deadlines
  WriteLines lines_;
  std::deque<StoreRequest> cleanup_;  // of one answer
  InboundStats ended_;
};

}  // namespace kadmesh
