// The serving half: one request of a peer in, one answer out (libp2p specs, kad-dht/README.md, "RPC
// messages"; where it leaves room, as go-libp2p-kad-dht's handlers.go does).
//
//   FIND_NODE      the k closest servers we know of without the one who asks, and before them the
//                  target itself, if we know an address of it: also when it asks, or is ourselves
//   GET_VALUE      the record, if it is here and still valid, and closer peers
//   PUT_VALUE      valid, under its own key and no worse than what is here: stored, and echoed
//   GET_PROVIDERS  providers, in no order of theirs, and closer peers
//   ADD_PROVIDER   about the sender alone, with an address: stored. Never answered
//   PING           answered with nothing but its type
//
// What is refused ends in a reset of the stream. Answers repeat nothing of a request but a stored
// record. Validation is on writing and on reading out; what has become invalid is erased.
//
//   asked --> answered                    (FIND_NODE, PING)
//   asked --> loading [--> saving] --> answered
//   any of these --> refused
#pragma once

#include <map>
#include <optional>
#include <variant>

#include "kad/action.h"
#include "kad/query.h"
#include "kad/rows.h"

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
  using Step = std::variant<Answer, Refuse, Use>;

  explicit Server(const KadView& view) : view_(view) {}

  // Answer and Refuse end the request; after Use comes on_stored, or at kInboundDeadline expire().
  Step on_request(Turn turn, KadInboundId id, const PeerId& from, ByteView message);
  // None for a request that has ended.
  std::optional<Step> on_stored(Turn turn, KadInboundId id, const StoreResult& result);
  // One request that the store has kept waiting for too long.
  std::optional<KadInboundId> expire(Time now);
  Time next_timer() const;

  // A row that reading out has shown to be invalid.
  std::optional<StoreRequest> poll_cleanup();

  std::size_t waiting() const { return waiting_.size(); }

 private:
  enum class Stage { loading, saving };
  struct Waiting {
    PeerId from;
    KadMessage request;
    Stage stage;
    Time deadline;
  };

  Step wait(Turn turn, KadInboundId id, Waiting waiting, StoreRequest request);
  Step find_node(const PeerId& from, const KadMessage& request) const;
  Step begin_get_value(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_put_value(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_providers(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step begin_add_provider(Turn turn, KadInboundId id, const PeerId& from, KadMessage request);
  Step get_value(Turn turn, const Waiting& waiting, const StoreRows& rows);
  Step put_value(Turn turn, KadInboundId id, Waiting waiting, const StoreRows& rows);
  Step get_providers(Turn turn, const Waiting& waiting, const StoreRows& rows) const;
  Step add_provider(Turn turn, KadInboundId id, Waiting waiting, const StoreRows& rows);
  Step saved(const Waiting& waiting) const;

  std::vector<KadPeer> closer(const KadMessage& request, const PeerId& from) const;
  KadPeer entry(const PeerId& peer, const std::vector<Dialable>& addrs) const;

  const KadView& view_;
  std::map<KadInboundId, Waiting> waiting_;  // ids grow, and so do deadlines
  std::optional<StoreRequest> cleanup_;
};

}  // namespace kadmesh
