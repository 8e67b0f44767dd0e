#include "kadnode/command.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/multibase.h"
#include "kadnode/arguments.h"
#include "kadnode/key_text.h"

namespace kadmesh::kadnode {
namespace {

// --- arguments
Result<Target> target(const std::string& text) {
  if (text.starts_with('/')) {
    ASSIGN_OR_RETURN(const auto addr, Multiaddr::from_text(text));
    return Target(addr);
  }
  ASSIGN_OR_RETURN(const auto peer, PeerId::from_text(text));
  return Target(peer);
}

Result<std::size_t> count(const std::string& text, std::size_t most) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most)
    return fail(Errc::invalid, quoted(text) + " is no number from 1 to " + std::to_string(most));
  return number;
}

Result<Bytes> hex(const std::string& text) {
  auto bytes = from_hex(text);
  if (!bytes) return fail(Errc::invalid, quoted(text) + " is not hexadecimal");
  return bytes;
}

Result<Bytes> record_key(const Arguments& a) {
  return a.key_hex ? hex(a.plain[0]) : Result<Bytes>(parse_record_key(a.plain[0]));
}

Result<Bytes> content_key(const Arguments& a) {
  if (a.key_hex) return hex(a.plain[0]);
  return a.text ? hashed_content_key(a.plain[0]) : parse_content_key(a.plain[0]);
}

// What stands behind the first argument, or the file instead.
Result<Payload> payload(const Arguments& a) {
  if (!a.file.empty()) {
    if (a.plain.size() > 1) return fail(Errc::invalid, "--file and a value exclude each other");
    return Payload{{}, a.file};
  }
  if (a.plain.size() < 2) return fail(Errc::invalid, "a value is missing");
  if (!a.data_hex) return Payload{to_bytes(as_bytes(a.rest(1))), {}};
  ASSIGN_OR_RETURN(Bytes bytes, hex(a.rest(1)));
  return Payload{std::move(bytes), {}};
}

// --- commands, each from its arguments
Result<CommandAction> parse_connect(const Arguments& a) {
  ASSIGN_OR_RETURN(auto to, target(a.plain[0]));
  return ConnectCommand{std::move(to)};
}

Result<CommandAction> parse_ping(const Arguments& a) {
  ASSIGN_OR_RETURN(auto to, target(a.plain[0]));
  PingCommand ping{std::move(to)};
  if (a.plain.size() == 1) return ping;
  ASSIGN_OR_RETURN(ping.count, count(a.plain[1], kMostPings));
  return ping;
}

Result<CommandAction> parse_put(const Arguments& a) {
  ASSIGN_OR_RETURN(Bytes key, record_key(a));
  ASSIGN_OR_RETURN(Payload value, payload(a));
  return PutCommand{std::move(key), std::move(value)};
}

Result<CommandAction> parse_get(const Arguments& a) {
  ASSIGN_OR_RETURN(Bytes key, record_key(a));
  GetCommand get{std::move(key), a.file};
  if (a.quorum.empty()) return get;
  ASSIGN_OR_RETURN(get.quorum, count(a.quorum, kMostQuorum));
  return get;
}

Result<CommandAction> parse_provide(const Arguments& a) {
  ASSIGN_OR_RETURN(Bytes key, content_key(a));
  return ProvideCommand{std::move(key)};
}

Result<CommandAction> parse_providers(const Arguments& a) {
  ASSIGN_OR_RETURN(Bytes key, content_key(a));
  ProvidersCommand providers{std::move(key)};
  if (a.plain.size() == 1) return providers;
  ASSIGN_OR_RETURN(providers.most, count(a.plain[1], kMostProvidersAsked));
  return providers;
}

Result<CommandAction> parse_find(const Arguments& a) {
  ASSIGN_OR_RETURN(const auto peer, PeerId::from_text(a.plain[0]));
  return FindCommand{peer};
}

Result<CommandAction> parse_closest(const Arguments& a) {
  if (!a.key_hex) return ClosestCommand{parse_any_key(a.plain[0])};
  ASSIGN_OR_RETURN(Bytes target, hex(a.plain[0]));
  return ClosestCommand{std::move(target)};
}

Result<CommandAction> parse_publish(const Arguments& a) {
  ASSIGN_OR_RETURN(Payload data, payload(a));
  return PublishCommand{a.plain[0], std::move(data)};
}

Result<CommandAction> parse_backfill(const Arguments& a) {
  ASSIGN_OR_RETURN(auto from, target(a.plain[1]));
  BackfillCommand backfill{a.plain[0], std::move(from), {}};
  if (a.plain.size() == 2) return backfill;
  ASSIGN_OR_RETURN(backfill.after, hex(a.plain[2]));
  return backfill;
}

Result<CommandAction> parse_why(const Arguments& a) {
  ASSIGN_OR_RETURN(const auto peer, PeerId::from_text(a.plain[0]));
  return WhyCommand{peer};
}

Result<CommandAction> parse_help(const Arguments& a) {
  if (a.plain.empty()) return HelpCommand{};
  if (!find_command(a.plain[0]))
    return fail(Errc::invalid, "no command is called " + quoted(a.plain[0]));
  return HelpCommand{a.plain[0]};
}

template <class Action>
Result<CommandAction> parse_bare(const Arguments&) {
  return Action{};
}

template <class Action>
Result<CommandAction> parse_topic(const Arguments& a) {
  return Action{a.plain[0]};
}

// --- the table
constexpr std::size_t kAnyNumber = 100'000;

using Parse = Result<CommandAction> (*)(const Arguments&);

struct Row {
  CommandInfo info;
  std::size_t least = 0, most = 0;  // arguments
  std::array<const ArgumentOption*, 4> options{};
  Parse parse;
};

constexpr std::array kRows{
    Row{.info = {.name = "id",
                 .summary = "who this node is and where it listens",
                 .details =
                     "As an argument of the program: the identity of the data directory, which is\n"
                     "made if there is none.",
                 .as_arguments = AsArguments::data_dir},
        .parse = parse_bare<IdCommand>},
    Row{.info =
            {.name = "connect",
             .usage = "ADDR|PEER",
             .summary = "connect, and say so only once the peer has proved its key",
             .details =
                 "ADDR is /ip4/HOST/tcp/PORT or /ip6/HOST/tcp/PORT, with /p2p/PEER or without.\n"
                 "A PEER alone is looked up: among known addresses, then in the DHT.",
             .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .parse = parse_connect},
    Row{.info = {.name = "network",
                 .summary = "connections, routing table by bucket, meshes by topic",
                 .as_arguments = AsArguments::running_node},
        .parse = parse_bare<NetworkCommand>},
    Row{.info = {.name = "ping",
                 .usage = "ADDR|PEER [COUNT]",
                 .summary = "round-trip time to a peer, connecting if need be",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 2,
        .parse = parse_ping},
    Row{.info =
            {.name = "put",
             .usage = "[--hex] [--trace] KEY VALUE|--data-hex HEX|--file FILE",
             .summary = "store a value in the DHT",
             .details =
                 "KEY is /NAMESPACE/NAME. Known are /pk/PEER and /ipns/PEER; under protocol ids\n"
                 "that are not of /ipfs/ also v, which takes every value.\n"
                 "VALUE is the rest of the line, its words joined by single spaces.\n"
                 "--hex: KEY is hexadecimal. --data-hex: the value is. --file: it is in FILE.",
             .as_arguments = AsArguments::client},
        .least = 1,
        .most = kAnyNumber,
        .options = {&kKeyHex, &kDataHex, &kFile, &kTrace},
        .parse = parse_put},
    Row{.info = {.name = "get",
                 .usage = "[--hex] [--trace] [--quorum N] KEY [--file FILE]",
                 .summary = "the best value of a key in the DHT",
                 .details =
                     "--hex: KEY is hexadecimal. --file: also write the value to FILE, as it is.\n"
                     "--quorum: ends once N hold the best value, rather than when all are asked.\n"
                     "--trace, here and with put, provide, providers, find and closest: shows the\n"
                     "walk as it happens.",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .options = {&kKeyHex, &kFile, &kTrace, &kQuorum},
        .parse = parse_get},
    Row{.info =
            {.name = "provide",
             .usage = "[--hex|--text] [--trace] KEY",
             .summary = "announce that this node has some content",
             .details =
                 "KEY is a CIDv0 (Qm...), a multihash in hexadecimal (1220...), or text, which\n"
                 "is hashed (SHA-256). --hex, --text: take it as the one or the other.",
             .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .options = {&kKeyHex, &kText, &kTrace},
        .parse = parse_provide},
    Row{.info = {.name = "providers",
                 .usage = "[--hex|--text] [--trace] KEY [COUNT]",
                 .summary = "who has announced that content",
                 .details = "KEY as for provide. The search ends at COUNT providers (20).",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 2,
        .options = {&kKeyHex, &kText, &kTrace},
        .parse = parse_providers},
    Row{.info = {.name = "find",
                 .usage = "[--trace] PEER",
                 .summary = "the addresses of a peer",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .options = {&kTrace},
        .parse = parse_find},
    Row{.info = {.name = "closest",
                 .usage = "[--hex] [--trace] KEY",
                 .summary = "the 20 peers that are closest to a key, by a walk",
                 .details =
                     "KEY is a peer, a record's key (/NAMESPACE/NAME), or content as for provide.\n"
                     "--hex: its bytes in hexadecimal, whatever they are.",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .options = {&kKeyHex, &kTrace},
        .parse = parse_closest},
    Row{.info = {.name = "subscribe",
                 .usage = "TOPIC",
                 .summary = "receive the messages of a topic",
                 .details =
                     "As an argument of the program: prints messages until it is interrupted.",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = 1,
        .parse = parse_topic<SubscribeCommand>},
    Row{.info = {.name = "unsubscribe",
                 .usage = "TOPIC",
                 .summary = "receive them no more",
                 .as_arguments = AsArguments::none},
        .least = 1,
        .most = 1,
        .parse = parse_topic<UnsubscribeCommand>},
    Row{.info = {.name = "publish",
                 .usage = "TOPIC MESSAGE|--data-hex HEX|--file FILE",
                 .summary = "send a message to a topic",
                 .details =
                     "MESSAGE is the rest of the line, its words joined by single spaces.\n"
                     "As an argument of the program: waits for a subscriber until the deadline.",
                 .as_arguments = AsArguments::client},
        .least = 1,
        .most = kAnyNumber,
        .options = {&kDataHex, &kFile},
        .parse = parse_publish},
    Row{.info =
            {.name = "backfill",
             .usage = "TOPIC ADDR|PEER [CURSOR]",
             .summary = "ask a peer for what a subscribed topic said before",
             .details =
                 "The peer keeps it with --backfill. Each message comes once, as an event with\n"
                 "\"backfilled\". CURSOR is the answer's next_hex of an earlier time.",
             .as_arguments = AsArguments::none},
        .least = 2,
        .most = 3,
        .parse = parse_backfill},
    Row{.info = {.name = "stats",
                 .summary = "what the node has done and holds, in numbers",
                 .as_arguments = AsArguments::running_node},
        .parse = parse_bare<StatsCommand>},
    Row{.info = {.name = "why",
                 .usage = "PEER",
                 .summary = "why a peer is or is not connected, in the table, in a mesh",
                 .as_arguments = AsArguments::running_node},
        .least = 1,
        .most = 1,
        .parse = parse_why},
    Row{.info = {.name = "help",
                 .usage = "[COMMAND]",
                 .summary = "the commands, or one of them",
                 .as_arguments = AsArguments::data_dir},
        .most = 1,
        .parse = parse_help},
    Row{.info = {.name = "quit", .summary = "leave", .as_arguments = AsArguments::none},
        .parse = parse_bare<QuitCommand>},
};

constexpr auto kInfos = [] {
  std::array<CommandInfo, kRows.size()> infos{};
  for (std::size_t i = 0; i < kRows.size(); ++i) infos[i] = kRows[i].info;
  return infos;
}();

const Row* find_row(std::string_view name) {
  const auto at = std::ranges::find(kRows, name, [](const Row& row) { return row.info.name; });
  return at == kRows.end() ? nullptr : &*at;
}

Result<Command> parse_row(const Row& row, const Words& words) {
  ASSIGN_OR_RETURN(const Arguments arguments, sort_words(row.options, words));
  if (arguments.plain.size() < row.least) return fail(Errc::invalid, "an argument is missing");
  if (arguments.plain.size() > row.most)
    return fail(Errc::invalid, quoted(arguments.plain[row.most]) + " is one argument too many");
  ASSIGN_OR_RETURN(CommandAction action, row.parse(arguments));
  return Command{row.info.name, arguments.timeout, arguments.trace, std::move(action)};
}

}  // namespace

std::span<const CommandInfo> commands() { return kInfos; }

const CommandInfo* find_command(std::string_view name) {
  const auto at = std::ranges::find(kInfos, name, &CommandInfo::name);
  return at == kInfos.end() ? nullptr : &*at;
}

Result<Command> parse_command(const Words& words) {
  const Row* row = find_row(words.front());
  if (!row)
    return fail(Errc::invalid, "no command is called " + quoted(words.front()) + "; see help");
  auto command = parse_row(*row, words);
  if (command) return command;
  std::string usage(row->info.name);
  if (!row->info.usage.empty()) usage.append(" ").append(row->info.usage);
  return fail(Errc::invalid, command.error().detail + "; usage: " + usage);
}

std::optional<TypedCommand> parse_line(std::string_view line) {
  const auto words = split_words(line);
  if (!words) {
    const std::string_view start = line.substr(line.find_first_not_of(" \t\r"));
    return TypedCommand{shortened(start.substr(0, start.find(' '))),
                        std::unexpected(words.error())};
  }
  if (words->empty()) return std::nullopt;
  return TypedCommand{shortened(words->front()), parse_command(*words)};
}

}  // namespace kadmesh::kadnode
