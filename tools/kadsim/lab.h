// A scenario's nodes in a World, and the books kept about them: who is up, which operation ended
// how, who got which message.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kadsim/ledger.h"
#include "kadsim/messages.h"
#include "kadsim/scenario.h"
#include "sim/world.h"

namespace kadmesh::kadsim {

class Lab {
 public:
  // A node that was slow, or whose clock ran wrong, may be behind for so long.
  static constexpr Duration kAftermath = std::chrono::minutes(2);
  // Who was up for less when a lookup began need not be found by it.
  static constexpr Duration kJoining = std::chrono::seconds(30);

  // Both outlive this. Every node is there, and none runs yet.
  // `watch`: of every turn; may be empty. `on_boot`: of every start of a node, as soon as it can
  // take commands.
  Lab(const Scenario& scenario, std::uint64_t seed, std::function<void(const TurnRecord&)> watch,
      std::function<void(NodeIndex)> on_boot);

  Duration now() const { return world_.now().mono - begin_; }
  Time begin() const { return begin_; }
  void run_until(Duration time) { world_.run_for(time - now()); }
  World& world() { return world_; }
  const World& world() const { return world_; }
  const Ledger& ledger() const { return ledger_; }
  const Messages& messages() const { return messages_; }
  // Empty, or the first breach of a protocol that a node told of another.
  const std::string& breach() const { return breach_; }
  const Scenario& scenario() const { return scenario_; }

  const Node& node(NodeIndex node) const { return world_.node(index_.at(node)); }
  const PeerId& id(NodeIndex node) const { return this->node(node).identity().peer_id(); }
  bool running(NodeIndex node) const { return world_.up(index_.at(node)); }
  // Neither frozen nor on its way out: it takes commands.
  bool ready(NodeIndex node) const {
    return running(node) && noted_up_[node] && !world_.frozen(index_.at(node));
  }
  // Ascending.
  std::vector<NodeIndex> ready() const;
  std::vector<NodeIndex> down() const;
  std::vector<NodeIndex> frozen() const;
  World::Index index(NodeIndex node) const { return index_.at(node); }
  // What an adversary claims to be: like the nodes.
  NodeConfig adversary_config() const;
  NodeIndex number(World::Index index) const { return number_.at(index); }
  std::optional<NodeIndex> number(const PeerId& peer) const;
  // Of the servers in its routing table: how many, and how many of those are adversaries.
  std::pair<std::uint64_t, std::uint64_t> captured(NodeIndex node) const;
  // Of all nodes, and of those lives that were ended here; what churn and faults end takes its
  // counters along.
  struct Counters {
    std::uint64_t duplicates = 0;
    Heard heard;
  };
  Counters counters() const;

  // Churn and faults come from elsewhere. What they are about to end, and what they did, they say;
  // of what they undo they say nothing: before the books are read, they are brought up to date.
  // Without churn and faults this does nothing.
  void catch_up();
  void catch_up(NodeIndex node);
  void leaves(NodeIndex node) { note_down(node); }
  void slowed(NodeIndex node) { ledger_.slowed(node, now(), now() + kAftermath); }
  void others_make_trouble() { troubled_ = true; }

  // --- nodes. What does not fit their state does nothing.
  void start(NodeIndex node);
  void kill(NodeIndex node);
  void restart(NodeIndex node, bool keep_store);
  void freeze(NodeIndex node);
  void thaw(NodeIndex node);

  // --- commands, of nodes that are ready; the ledger has what comes of them
  void connect(NodeIndex node, NodeIndex to, const std::string& label, bool bare, Duration limit);
  void disconnect(NodeIndex node, NodeIndex from);
  void ping(NodeIndex node, NodeIndex to, const std::string& label, Duration limit);
  void await_ready(NodeIndex node, std::size_t live, const std::string& label, Duration limit);
  void put(NodeIndex node, std::string_view key, Bytes value, const std::string& label,
           Duration limit);
  void get(NodeIndex node, std::string_view key, const std::string& label, Duration limit);
  void provide(NodeIndex node, std::string_view key, const std::string& label, Duration limit);
  void find_providers(NodeIndex node, std::string_view key, const std::string& label,
                      Duration limit);
  void find(NodeIndex node, NodeIndex whom, const std::string& label, Duration limit);
  void closest(NodeIndex node, std::string_view key, const std::string& label, Duration limit);
  void subscribe(NodeIndex node, const std::string& topic);
  void unsubscribe(NodeIndex node, const std::string& topic);
  void publish(NodeIndex node, const std::string& topic, Bytes data, const std::string& label);
  void backfill(NodeIndex node, NodeIndex from, const std::string& topic, const std::string& label,
                Duration limit);

 private:
  // Those whose addresses others must know come first.
  void add_all();
  NodeConfig at_level(NodeConfig config) const;
  NodeConfig config_of(NodeIndex node) const;
  NodeOptions options_of(NodeIndex node);
  void add(NodeIndex node);
  void note_down(NodeIndex node);
  void note_up(NodeIndex node);
  void note_frozen(NodeIndex node);
  void booted(const TurnRecord& record);
  void hear(World::Index index, const Report& report);
  std::optional<bool> exact(NodeIndex asker, const ClosestReport& report) const;
  void hear_end(NodeIndex node, const OpDone& done);
  void hear_message(NodeIndex node, const GossipDeliver& delivery);
  void blame(NodeIndex node, const PeerId& peer, const Error& cause);
  template <class Begin>
  void begin(Verb verb, const std::string& label, NodeIndex node, Duration limit, Begin run);

  const Scenario& scenario_;
  World world_;
  Time begin_;
  Ledger ledger_;
  Messages messages_;
  std::vector<World::Index> index_;
  std::vector<NodeIndex> number_;                        // by the world's index
  std::vector<bool> noted_up_, noted_frozen_, started_;  // as the books have them
  std::vector<Duration> up_since_;
  bool troubled_ = false;
  std::function<void(const TurnRecord&)> watch_;
  std::function<void(NodeIndex)> on_boot_;
  std::vector<NodeIndex> seeds_;
  std::vector<const Role*> roles_;             // by node
  std::shared_ptr<SignatureMemo> signatures_;  // at message level
  std::map<PeerId, NodeIndex> by_id_;
  Counters past_;
  std::string breach_;
};

}  // namespace kadmesh::kadsim
