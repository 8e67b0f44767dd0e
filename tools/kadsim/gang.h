// [[adversary]] of a scenario: nodes beside the others that keep every rule below the messages of
// Kademlia and GossipSub and none above (sim/adversary.h). Their ids are those of real keys, drawn
// until they lie where they are wanted. They are of the DHT, of the pub/sub (sim/sybil.h), or both.
//
//   silent   takes every request, answers none
//   refuse   resets the stream of every request
//   lie      names as nearest those of its own gang; says that it keeps what it is given, and has
//            nothing
//   drop     the same, but names whoever is nearest, friend or foe
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kadsim/fields.h"
#include "kadsim/selector.h"
#include "sim/address_plan.h"
#include "sim/adversary.h"
#include "sim/sybil.h"

namespace kadmesh::kadsim {

class Lab;

enum class Conduct { silent, refuse, lie, drop };

// What they do in GossipSub (SybilConduct), by the numbers of nodes and the time of the run.
struct GossipPlan {
  std::uint32_t drops_ppm = 1'000'000;
  Selector censors;
  Duration turns{};
  std::optional<Distribution> regraft;
  std::size_t promises = 0;
};

struct GangPlan {
  std::size_t count = 0;
  std::optional<Conduct> conduct;    // none: they are not of the DHT
  std::optional<GossipPlan> gossip;  // none: they are not of the pub/sub
  Duration from{};
  // Whom they connect to, so many of those each, which are drawn (0: all), and how often they look
  // for those of them who are not.
  Selector contact;
  std::size_t connections = 0;
  Duration again = std::chrono::minutes(1);
  // At most one of these says where their ids are to lie: near a key, or where they fill the
  // routing table of that node. Of `drawn` ids for each of them the best are taken.
  std::string near;
  std::optional<NodeIndex> around;
  std::size_t drawn = 256;
  std::size_t networks = 0;       // /16s that are theirs; 0: addresses like everybody's
  std::size_t first_network = 0;  // of those of all gangs
  std::size_t addresses = 0;      // that all of them share; 0: each has one
};

inline constexpr std::size_t kMostAdversaries = 10'000;
// Of one RPC (gossip/params.h).
inline constexpr std::size_t kMostPromises = 5'000;
// Of ids for one gang: a minute of a processor.
inline constexpr std::size_t kMostDrawn = 2'000'000;

// `end`: of the run. Which networks are theirs is not known before all gangs are.
Result<GangPlan> read_gang(std::string_view file, const Value& value, const Population& population,
                           const AddressPlan& addresses, Duration end);

// How many hosts, nodes and all, may have an address of the plan: whoever comes after nodes and
// other adversaries has one by the number of those who were there before.
std::size_t planned_hosts(std::size_t nodes, const std::vector<GangPlan>& plans);
// How many networks belong to gangs.
std::size_t owned_networks(const std::vector<GangPlan>& plans);

class Gang {
 public:
  // Names everybody who is there by then, friend or foe.
  using Everybody = std::shared_ptr<Directory>;

  // All outlive this. `number`: of the gang, whose luck is its own.
  Gang(Lab& lab, const GangPlan& plan, std::uint64_t seed, std::size_t number, Everybody everybody);
  ~Gang();
  Gang(const Gang&) = delete;
  Gang& operator=(const Gang&) = delete;

  // They come, and look for whom they contact until they are stopped.
  void start();
  void stop() { stopped_ = true; }
  std::size_t members() const { return members_.size(); }  // who have come
  std::uint64_t requests() const;                          // that they were asked, all together

 private:
  std::vector<KeyPair> identities() const;
  NodeOptions options(std::size_t member, const KeyPair& identity) const;
  adversary::OnRequest conduct() const;
  SybilConduct gossip() const;
  Adversary::Script script(std::size_t member) const;
  NodeConfig config() const;
  std::vector<NodeIndex> contacts(std::size_t member) const;
  void add(std::size_t member, const KeyPair& identity);
  void look(std::size_t member);

  Lab& lab_;
  const GangPlan& plan_;
  std::uint64_t seed_, luck_;
  Everybody everybody_;
  std::shared_ptr<Directory> own_;
  std::vector<std::unique_ptr<Adversary>> members_;
  std::vector<NatId> shared_;  // addresses
  bool stopped_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<bool>(true);
};

// All of a run.
class Gangs {
 public:
  // Both outlive this.
  Gangs(Lab& lab, const std::vector<GangPlan>& plans, std::uint64_t seed);
  void stop();
  std::size_t members() const;
  std::uint64_t requests() const;

 private:
  std::vector<std::unique_ptr<Gang>> all_;
};

// How many adversaries a scenario plans.
std::size_t adversaries(const std::vector<GangPlan>& plans);

}  // namespace kadmesh::kadsim
