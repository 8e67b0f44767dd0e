#include "kadnode/command.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/crypto.h"
#include "base/multibase.h"

namespace kadmesh::kadnode {
namespace {

// The words of one command, sorted into options and arguments.
struct Arguments {
  std::vector<std::string> plain;
  bool key_hex = false, data_hex = false, text = false;
  std::string file;
  std::optional<Duration> timeout;

  // The arguments from `first` on, as the user typed them but for the space between.
  std::string rest(std::size_t first) const {
    std::string all;
    for (std::size_t i = first; i < plain.size(); ++i)
      all.append(i > first ? " " : "").append(plain[i]);
    return all;
  }
};

using Parse = Result<CommandAction> (*)(const Arguments&);

// --- options
struct Option {
  std::string_view name;
  bool takes_value;
  Result<void> (*set)(Arguments&, const std::string&);
};

constexpr Option kKeyHex{"--hex", false, [](Arguments& a, const std::string&) {
                           a.key_hex = true;
                           return Result<void>();
                         }};
constexpr Option kDataHex{"--data-hex", false, [](Arguments& a, const std::string&) {
                            a.data_hex = true;
                            return Result<void>();
                          }};
constexpr Option kText{"--text", false, [](Arguments& a, const std::string&) {
                         a.text = true;
                         return Result<void>();
                       }};
constexpr Option kFile{"--file", true, [](Arguments& a, const std::string& value) {
                         a.file = value;
                         return value.empty() ? fail(Errc::invalid, "--file needs a name")
                                              : Result<void>();
                       }};
constexpr Option kTimeout{"--timeout", true, [](Arguments& a, const std::string& value) {
                            const auto timeout = parse_timeout(value);
                            if (!timeout) return Result<void>(std::unexpected(timeout.error()));
                            a.timeout = *timeout;
                            return Result<void>();
                          }};

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
    return fail(Errc::invalid, "'" + text + "' is no number from 1 to " + std::to_string(most));
  return number;
}

Result<Bytes> hex(const std::string& text) {
  auto bytes = from_hex(text);
  if (!bytes) return fail(Errc::invalid, "'" + text + "' is not hexadecimal");
  return bytes;
}

Result<Bytes> record_key(const Arguments& a) {
  return a.key_hex ? hex(a.plain[0]) : Result<Bytes>(parse_record_key(a.plain[0]));
}

Result<Bytes> content_key(const Arguments& a) {
  if (a.key_hex) return hex(a.plain[0]);
  if (!a.text) return parse_content_key(a.plain[0]);
  Bytes multihash{0x12, 0x20};
  append(multihash, sha256(as_bytes(a.plain[0])));
  return multihash;
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
  return GetCommand{std::move(key), a.file};
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

Result<CommandAction> parse_publish(const Arguments& a) {
  ASSIGN_OR_RETURN(Payload data, payload(a));
  return PublishCommand{a.plain[0], std::move(data)};
}

Result<CommandAction> parse_why(const Arguments& a) {
  ASSIGN_OR_RETURN(const auto peer, PeerId::from_text(a.plain[0]));
  return WhyCommand{peer};
}

Result<CommandAction> parse_help(const Arguments& a) {
  if (a.plain.empty()) return HelpCommand{};
  if (!find_command(a.plain[0]))
    return fail(Errc::invalid, "no command is called '" + a.plain[0] + "'");
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

struct Row {
  CommandInfo info;
  std::size_t least, most;  // arguments
  std::array<const Option*, 3> options;
  Parse parse;
};

constexpr std::array kRows{
    Row{{"id", "", "who this node is and where it listens",
         "As an argument of the program: the identity of the data directory, which is\n"
         "made if there is none.",
         AsArguments::data_dir},
        0,
        0,
        {},
        parse_bare<IdCommand>},
    Row{{"connect", "ADDR|PEER", "connect, and say so only once the peer has proved its key",
         "ADDR is /ip4/HOST/tcp/PORT or /ip6/HOST/tcp/PORT, with /p2p/PEER or without.\n"
         "A PEER alone is looked up: among known addresses, then in the DHT.",
         AsArguments::client},
        1,
        1,
        {},
        parse_connect},
    Row{{"network", "", "connections, routing table by bucket, meshes by topic", "",
         AsArguments::running_node},
        0,
        0,
        {},
        parse_bare<NetworkCommand>},
    Row{{"ping", "ADDR|PEER [COUNT]", "round-trip time to a peer, connecting if need be", "",
         AsArguments::client},
        1,
        2,
        {},
        parse_ping},
    Row{{"put", "[--hex] KEY VALUE|--data-hex HEX|--file FILE", "store a value in the DHT",
         "KEY is /NAMESPACE/NAME. Under protocol ids of /ipfs/ the namespace pk alone is\n"
         "known (/pk/PEER); under any other also v, which takes every value.\n"
         "VALUE is the rest of the line, its words joined by single spaces.\n"
         "--hex: KEY is hexadecimal. --data-hex: the value is. --file: it is in FILE.",
         AsArguments::client},
        1,
        kAnyNumber,
        {&kKeyHex, &kDataHex, &kFile},
        parse_put},
    Row{{"get", "[--hex] KEY [--file FILE]", "the best value of a key in the DHT",
         "--hex: KEY is hexadecimal. --file: also write the value to FILE, as it is.",
         AsArguments::client},
        1,
        1,
        {&kKeyHex, &kFile},
        parse_get},
    Row{{"provide", "[--hex|--text] KEY", "announce that this node has some content",
         "KEY is a CIDv0 (Qm...), a multihash in hexadecimal (1220...), or text, which\n"
         "is hashed (SHA-256). --hex, --text: take it as the one or the other.",
         AsArguments::client},
        1,
        1,
        {&kKeyHex, &kText},
        parse_provide},
    Row{{"providers", "[--hex|--text] KEY [COUNT]", "who has announced that content",
         "KEY as for provide. The search ends at COUNT providers (20).", AsArguments::client},
        1,
        2,
        {&kKeyHex, &kText},
        parse_providers},
    Row{{"find", "PEER", "the addresses of a peer", "", AsArguments::client}, 1, 1, {}, parse_find},
    Row{{"subscribe", "TOPIC", "receive the messages of a topic",
         "As an argument of the program: prints messages until it is interrupted.",
         AsArguments::client},
        1,
        1,
        {},
        parse_topic<SubscribeCommand>},
    Row{{"unsubscribe", "TOPIC", "receive them no more", "", AsArguments::none},
        1,
        1,
        {},
        parse_topic<UnsubscribeCommand>},
    Row{{"publish", "TOPIC MESSAGE|--data-hex HEX|--file FILE", "send a message to a topic",
         "MESSAGE is the rest of the line, its words joined by single spaces.\n"
         "As an argument of the program: waits for a subscriber until the deadline.",
         AsArguments::client},
        1,
        kAnyNumber,
        {&kDataHex, &kFile},
        parse_publish},
    Row{{"stats", "", "what the node has done and holds, in numbers", "",
         AsArguments::running_node},
        0,
        0,
        {},
        parse_bare<StatsCommand>},
    Row{{"why", "PEER", "why a peer is or is not connected, in the table, in a mesh", "",
         AsArguments::running_node},
        1,
        1,
        {},
        parse_why},
    Row{{"help", "[COMMAND]", "the commands, or one of them", "", AsArguments::data_dir},
        0,
        1,
        {},
        parse_help},
    Row{{"quit", "", "leave", "", AsArguments::none}, 0, 0, {}, parse_bare<QuitCommand>},
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

const Option* find_option(const Row& row, std::string_view name) {
  if (name == kTimeout.name) return &kTimeout;
  for (const Option* option : row.options)
    if (option && option->name == name) return option;
  return nullptr;
}

// --- words into options and arguments
class Sorter {
 public:
  Sorter(const Row& row, const Words& words) : row_(row), words_(words) {}

  Result<Arguments> sort() {
    while (next_ < words_.size()) RETURN_IF_ERROR(take(words_[next_++]));
    return std::move(arguments_);
  }

 private:
  Result<void> take(const std::string& word) {
    if (options_ended_ || !word.starts_with("--")) {
      arguments_.plain.push_back(word);
      return {};
    }
    options_ended_ = word == "--";
    return options_ended_ ? Result<void>() : option(word);
  }

  Result<void> option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const Option* option = find_option(row_, std::string_view(word).substr(0, equals));
    if (!option) return fail(Errc::invalid, "unknown option " + word);
    if (!option->takes_value && equals != std::string::npos)
      return fail(Errc::invalid, std::string(option->name) + " takes no value");
    if (!option->takes_value) return option->set(arguments_, {});
    if (equals != std::string::npos) return option->set(arguments_, word.substr(equals + 1));
    if (next_ == words_.size()) return fail(Errc::invalid, word + " needs a value");
    return option->set(arguments_, words_[next_++]);
  }

  const Row& row_;
  const Words& words_;
  std::size_t next_ = 1;
  bool options_ended_ = false;
  Arguments arguments_;
};

Result<Command> parse_row(const Row& row, const Words& words) {
  ASSIGN_OR_RETURN(const Arguments arguments, Sorter(row, words).sort());
  if (arguments.plain.size() < row.least) return fail(Errc::invalid, "an argument is missing");
  if (arguments.plain.size() > row.most)
    return fail(Errc::invalid, "'" + arguments.plain[row.most] + "' is one argument too many");
  ASSIGN_OR_RETURN(CommandAction action, row.parse(arguments));
  return Command{row.info.name, arguments.timeout, std::move(action)};
}

// --- one line into words
//
//   between --'--> single --'--> between          in single quotes nothing is special
//   between --"--> double --"--> between          in double quotes a backslash is
class Splitter {
 public:
  Result<Words> split(std::string_view line) {
    for (const char c : line) take(c);
    if (quote_) return fail(Errc::invalid, std::string("a quote is left open: ") + *quote_);
    if (escaped_) return fail(Errc::invalid, "a backslash stands at the end");
    end_word();
    return std::move(words_);
  }

 private:
  void take(char c) {
    if (std::exchange(escaped_, false)) return add(c);
    if (c == '\\' && quote_ != '\'') {
      escaped_ = in_word_ = true;
      return;
    }
    if (quote_) return c == *quote_ ? quote_.reset() : add(c);
    if (c == '\'' || c == '"') {
      quote_ = c;
      in_word_ = true;
      return;
    }
    if (c == ' ' || c == '\t' || c == '\r') return end_word();
    add(c);
  }

  void add(char c) {
    word_ += c;
    in_word_ = true;
  }

  void end_word() {
    if (std::exchange(in_word_, false)) words_.push_back(std::exchange(word_, {}));
  }

  Words words_;
  std::string word_;
  bool in_word_ = false, escaped_ = false;
  std::optional<char> quote_;
};

bool is_cid_v0(const Bytes& multihash) {
  return multihash.size() == 34 && multihash[0] == 0x12 && multihash[1] == 0x20;
}

}  // namespace

std::span<const CommandInfo> commands() { return kInfos; }

const CommandInfo* find_command(std::string_view name) {
  const auto at = std::ranges::find(kInfos, name, &CommandInfo::name);
  return at == kInfos.end() ? nullptr : &*at;
}

Result<Words> split_words(std::string_view line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos || line[start] == '#') return Words{};
  return Splitter().split(line);
}

Result<Command> parse_command(const Words& words) {
  const Row* row = find_row(words.front());
  if (!row) return fail(Errc::invalid, "no command is called '" + words.front() + "'; see help");
  auto command = parse_row(*row, words);
  if (command) return command;
  std::string usage(row->info.name);
  if (!row->info.usage.empty()) usage.append(" ").append(row->info.usage);
  return fail(Errc::invalid, command.error().detail + "; usage: " + usage);
}

Result<Duration> parse_timeout(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const std::chrono::duration<double> wanted(seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(wanted >= kLeastTimeout) ||
      !(wanted <= kMostTimeout))
    return fail(Errc::invalid,
                "'" + std::string(text) + "' is no number of seconds from 0.001 to 3600");
  return std::chrono::duration_cast<Duration>(wanted);
}

Result<Bytes> parse_content_key(std::string_view text) {
  if (text.starts_with("Qm"))
    if (auto multihash = from_base(Base::base58, text); multihash && is_cid_v0(*multihash))
      return multihash;
  if (auto multihash = from_hex(text); multihash && is_cid_v0(*multihash)) return multihash;
  Bytes multihash{0x12, 0x20};
  append(multihash, sha256(as_bytes(text)));
  return multihash;
}

Bytes parse_record_key(std::string_view text) {
  constexpr std::string_view kPublicKey = "/pk/";
  Bytes key = to_bytes(as_bytes(text));
  if (!text.starts_with(kPublicKey)) return key;
  const auto peer = PeerId::from_text(text.substr(kPublicKey.size()));
  if (!peer) return key;
  key.resize(kPublicKey.size());
  append(key, peer->bytes());
  return key;
}

}  // namespace kadmesh::kadnode
