// What a user can ask a node for. One table of commands and one grammar, for the shell, for piped
// lines and for the program's own arguments: words.h, arguments.h.
//
// Parsing reads no file and asks no network: what it yields is complete or refused, with
// Errc::invalid and the command's usage.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/multiaddr.h"
#include "base/peer_id.h"
#include "base/time.h"
#include "kadnode/words.h"

namespace kadmesh::kadnode {

// An address, with or without /p2p, or a peer whose addresses are known or in the DHT.
using Target = std::variant<Multiaddr, PeerId>;

// Bytes as they were typed, or a file that holds them.
struct Payload {
  Bytes bytes;
  std::string file;  // empty: `bytes` is all
};

struct IdCommand {};
struct ConnectCommand {
  Target to;
};
struct NetworkCommand {};
struct PingCommand {
  Target to;
  std::size_t count = 1;
};
struct PutCommand {
  Bytes key;
  Payload value;
};
struct GetCommand {
  Bytes key;
  std::string into_file;  // empty: the value is part of the answer alone
  std::size_t quorum = 0;
};
struct ProvideCommand {
  Bytes multihash;
};
struct ProvidersCommand {
  Bytes multihash;
  std::size_t most = 20;
};
struct FindCommand {
  PeerId peer;
};
struct ClosestCommand {
  Bytes target;
};
struct SubscribeCommand {
  std::string topic;
};
struct UnsubscribeCommand {
  std::string topic;
};
struct PublishCommand {
  std::string topic;
  Payload data;
};
struct BackfillCommand {
  std::string topic;
  Target from;
  Bytes after;  // a cursor; empty: all
};
struct StatsCommand {};
struct WhyCommand {
  PeerId peer;
};
struct HelpCommand {
  std::string about;  // a command's name; empty: all
};
struct QuitCommand {};

using CommandAction =
    std::variant<IdCommand, ConnectCommand, NetworkCommand, PingCommand, PutCommand, GetCommand,
                 ProvideCommand, ProvidersCommand, FindCommand, ClosestCommand, SubscribeCommand,
                 UnsubscribeCommand, PublishCommand, BackfillCommand, StatsCommand, WhyCommand,
                 HelpCommand, QuitCommand>;

struct Command {
  std::string_view name;            // as in the table
  std::optional<Duration> timeout;  // --timeout of this command alone
  bool trace = false;               // its walk is shown as it happens
  CommandAction action;
};

// What a command means as arguments of the program.
enum class AsArguments {
  client,        // an ephemeral client carries it out
  running_node,  // the node that runs on the data directory is asked
  data_dir,      // answered from the data directory
  none,          // means something only inside a running node
};

struct CommandInfo {
  std::string_view name;
  std::string_view usage{};    // behind the name
  std::string_view summary;    // one line
  std::string_view details{};  // lines of at most 76 characters
  AsArguments as_arguments;
};
std::span<const CommandInfo> commands();
const CommandInfo* find_command(std::string_view name);

inline constexpr std::size_t kMostPings = 100;
inline constexpr std::size_t kMostProvidersAsked = 1000;
inline constexpr std::size_t kMostQuorum = 1000;

// `words` is not empty.
Result<Command> parse_command(const Words& words);

// What a line asks for, or what is wrong with it.
struct TypedCommand {
  std::string name;  // the first word, for the answer; cut short
  Result<Command> command;
};
// None when the line has no words.
std::optional<TypedCommand> parse_line(std::string_view line);

}  // namespace kadmesh::kadnode
