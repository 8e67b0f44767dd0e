#include "kadnode/help.h"

#include "kadnode/command.h"

namespace kadmesh::kadnode {
namespace {

constexpr std::size_t kColumn = 14;  // where summaries begin

constexpr std::string_view kHead = R"(kadnode - a node of a kadmesh or libp2p network

SYNOPSIS
  kadnode run [OPTION]...            a node, and commands for it
  kadnode COMMAND [OPTION]... [ARGUMENT]...
                                     one command, then leave
  kadnode --help | --version
  kadnode run --help, kadnode COMMAND --help

DESCRIPTION
  `kadnode run` runs a node whose identity and store are in the data directory.
  On a terminal it reads commands with history and completion; from a pipe it
  reads one a line and, with --json, writes one JSON object a line.

  `kadnode COMMAND` does one thing and leaves. network, stats and why ask the
  node that runs on the data directory; id reads its identity; the others work
  as a short-lived client, which joins at the --bootstrap addresses.

COMMANDS
)";

constexpr std::string_view kTail = R"(
OPTIONS
  --bootstrap MULTIADDR   a peer to join the network at; again for more
  --kad-protocol ID       the DHT's protocol (/ipfs/kad/1.0.0); nodes find each
                          other only under the same one
  --data-dir DIR          where the node keeps its state
                          ($XDG_DATA_HOME/kadmesh or ~/.local/share/kadmesh)
  --identity FILE         the private key, instead of DIR/identity
  --timeout SECONDS       the most that a command may take (10)
  --json                  results, events and logs as JSON, one object a line
  --log LEVEL[,AREA=LEVEL]...
                          to standard error: debug, info, warning (usual), off;
                          areas: swarm kad gossip identify store driver node
  --keylog FILE           append the secrets of every connection, with which
                          tools/decrypt reads a capture of it

  Those of `run` alone: kadnode run --help

EXIT STATUS
  0  done
  1  a peer or the network refused, or ended it
  2  wrong arguments
  3  not found: those who were asked do not have it
  4  the deadline came first
  5  no peer to ask
  6  trouble on this side: a port, a file, the data directory, the output
  7  no node runs on the data directory

FILES
  DIR/identity            the private key; keep it secret
  DIR/store.sqlite        records, providers, known peers
  DIR/control.sock        while a node runs: where network, stats and why ask

EXAMPLES
  kadnode run --port 9001 --kad-protocol /spaceway/kad/1.0.0
  kadnode connect /ip4/127.0.0.1/tcp/9001
  kadnode get /v/name --bootstrap /ip4/127.0.0.1/tcp/9001 \
      --kad-protocol /spaceway/kad/1.0.0
  kadnode get --trace /v/name --bootstrap /ip4/... --kad-protocol ...
  echo 'put /v/name a value' | kadnode run --json --bootstrap /ip4/...
  kadnode why 12D3KooW...
)";

constexpr std::string_view kRun = R"(kadnode run - run a node, and take commands for it

SYNOPSIS
  kadnode run [OPTION]...

DESCRIPTION
  The node listens, joins the network at the --bootstrap addresses and serves
  the DHT until it is told to leave: by `quit`, by the end of its input (but see
  --stay), or by SIGINT, SIGTERM or SIGHUP, at which it closes its connections.

  On a terminal commands are edited, kept in a history and completed with Tab.
  Otherwise each line of standard input is a command. They run one after the
  other; each has exactly one answer, in order. Empty lines and lines that begin
  with # are passed over. Standard output shows answers and, between them,
  events: peers that come and go, messages. With --json each is one object on
  one line; answers have "seq", "ok" and "result" or "error", events "event".

OPTIONS
  --listen MULTIADDR      listen there; again for more
  --port N                listen on port N of every interface, IPv4 and IPv6;
                          0 is any free port, which is also what happens without
                          --listen and --port
  --metrics MULTIADDR     answer Prometheus there, at /metrics; for all who
                          can connect, so usually /ip4/127.0.0.1/tcp/9464
  --metrics-name NAME     a name that this machine is scraped by, beside its
                          addresses and localhost; may be repeated
  --backfill              keep in memory what subscribed topics say, for peers
                          that ask for it (the command backfill)
  --mode MODE             server (usual): serves the DHT; client: only asks;
                          auto: serves it once a peer of another network has
                          connected to one of its public addresses
  --stay                  stay when the input ends
  --set-aside-corrupt     a damaged store is renamed and an empty one begun,
                          instead of not starting
  --record FILE           write down all that goes into the node, for `kadsim
                          replay`. FILE is new, and holds secrets: the private
                          key and all that the node is told
  --redact                record above the encryption: no private key, no
                          session keys; contents and peers are still there
  --record-limit MIB      the most that FILE may become (256); there recording
                          ends with a warning, and what there is replays
  --gossip-trace FILE     write down what happens in GossipSub, for tools that
                          read go-libp2p-pubsub's traces; lines of JSON where
                          FILE ends in .json, else protobufs. FILE is new
  and those of kadnode --help

EXIT STATUS
  0 when it was told to leave, whatever became of single commands; 2 for wrong
  arguments; 6 if it could not start, or its output could not be written.

COMMANDS
)";

std::string table() {
  std::string out;
  for (const CommandInfo& info : commands()) {
    out.append("  ").append(info.name).append(kColumn - info.name.size(), ' ');
    out.append(info.summary).append("\n");
  }
  return out;
}

std::string one(const CommandInfo& info) {
  std::string out(info.name);
  if (!info.usage.empty()) out.append(" ").append(info.usage);
  out.append("\n  ").append(info.summary);
  std::string_view rest = info.details;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out.append("\n  ").append(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out + "\n  --timeout SECONDS: the most that it may take";
}

}  // namespace

std::string manual() { return std::string(kHead) + table() + std::string(kTail); }
std::string run_manual() { return std::string(kRun) + table(); }

std::string help_text(std::string_view command) {
  if (const CommandInfo* info = find_command(command)) return one(*info);
  return table() + "help COMMAND says more";
}

}  // namespace kadmesh::kadnode
