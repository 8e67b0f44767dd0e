// One seed, one storm: a dozen nodes that work while nodes and network fail them, what must hold at
// every moment of it, then calm, and what must come.
//
//   always   an operation ends once, and by its deadline
//            nobody honest breaks the protocol, a connection's or a stream's
//            what an application rejected goes no further; what it accepted comes once
//            who was pruned does not come back before its time
//            a server that answers stays in the table
//            the nodes' own invariants
//   at last  every address is real, every connection has two ends
//            puts, gets and searches succeed, every subscriber gets every message
//            a long transfer arrives whole
//            closed down, nothing is left
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/adversary.h"
#include "sim/faults.h"
#include "sim/storm/transfer.h"
#include "sim/world.h"

namespace kadmesh {

class Storm {
 public:
  static constexpr std::size_t kNodes = 10;

  explicit Storm(std::uint64_t seed);
  // Empty, or the first thing that was wrong: when, and what.
  std::string play();
  std::uint64_t trace_hash() const { return world_.trace_hash(); }

 private:
  using Index = World::Index;

  static WorldConfig config(std::uint64_t seed);
  NodeConfig node_config(Index node) const;
  void add_picky_peer();
  void note_prune(const PeerId& peer);
  bool has_other_end(const PeerId& peer, const ConnectionInfo& ours) const;

  // --- what goes on
  void join();
  void trouble();
  void work();
  void work_once();
  template <class Command>
  OpId start(Index who, Command command);
  OpId put(Index who, std::uint64_t number);
  OpId get(Index who, std::uint64_t number);
  OpId ping(Index who, Index whom);
  OpId find(Index who, Index whom);
  // What was published.
  Bytes publish(Index who, bool good);
  void leave_and_join(Index who);
  void subscribe(Index who);

  // --- what must always hold
  void wrong(const std::string& what);
  std::string at(Index node) const;
  // Its clock was wrong, or it stood still.
  bool excused(Index node) const;
  void on_boot(Index node);
  void on_fault(Fault fault, Index node);
  void on_report(Index node, const Report& report);
  void on_report_of_picky(const Report& report);
  void on_done(Index node, const OpDone& done);
  void on_notice(Index node, const Notice& notice);
  void on_validate(Index node, const MessageToValidate& message);
  void on_delivered(Index node, const MessageDelivered& message);
  void look_around();
  void look_at(Index node);
  void check_table(Index node);

  // --- what must come
  void require(bool held, const std::string& what);
  void transfer();
  bool recovered() const;
  bool in_mesh(Index node) const;
  bool all_in_meshes() const;
  void require_recovery();
  void require_lookups();
  void await(const std::vector<std::pair<Index, OpId>>& ops, const std::string& what);
  void require_reach();
  void require_rest();

  World world_;
  Luck luck_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Adversary> picky_;
  std::vector<std::unique_ptr<Transfer>> transfers_;  // calls of theirs may be under way for ever
  std::string wrong_;
  bool trouble_ = false;                          // it has begun
  bool recovered_ = false;                        // and nothing of it is left to be got over
  std::vector<Time> troubled_;                    // when last, by node
  std::map<std::pair<Index, OpId>, Time> open_;   // by when they must end
  std::map<std::pair<Index, OpId>, bool> ended_;  // well, or not
  std::map<Index, std::set<PeerId>> servers_;     // in each table, when last looked at
  std::map<PeerId, Time> pruned_;                 // by the picky one, when last
  // Whom the picky one is connected to. And whose connection there is of a process that has ended
  // and begun again since: what comes on it was said before, what is answered there reaches nobody.
  std::set<PeerId> met_, of_earlier_life_;
  std::map<Bytes, std::vector<std::size_t>> delivered_;  // how often to each node
  std::uint64_t messages_ = 0;
};

}  // namespace kadmesh
