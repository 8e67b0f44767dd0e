#include "kadnode/options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "kadnode/arguments.h"
#include "kadnode/data_dir.h"
#include "kadnode/help.h"

namespace kadmesh::kadnode {
namespace {

// As typed; `Options` is what it means.
struct Typed {
  std::vector<std::string> bootstrap, listen, log, metrics_names;
  std::string kad_protocol, data_dir, identity, keylog, timeout, port, record, record_limit,
      gossip_trace, mode, metrics;
  bool json = false, stay = false, backfill = false, redact = false, set_aside_corrupt = false,
       help = false, version = false;
};

// One value an option: `--bootstrap ADDR get` is an address and a command.
void add_list(CLI::App& app, const char* name, std::vector<std::string>& into) {
  app.add_option(name, into)->allow_extra_args(false);
}

void add_text(CLI::App& app, const char* name, std::string& into) {
  app.add_option(name, into)->take_last();
}

void add_common(CLI::App& app, Typed& typed) {
  app.set_help_flag();
  app.add_flag("-h,--help", typed.help);
  add_list(app, "--bootstrap", typed.bootstrap);
  add_list(app, "--log", typed.log);
  add_text(app, "--kad-protocol", typed.kad_protocol);
  add_text(app, "--data-dir", typed.data_dir);
  add_text(app, "--identity", typed.identity);
  add_text(app, "--keylog", typed.keylog);
  add_text(app, "--timeout", typed.timeout);
  app.add_flag("--json", typed.json);
}

// --- from what was typed to what it means
Result<std::vector<Multiaddr>> addresses(const char* option,
                                         const std::vector<std::string>& texts) {
  std::vector<Multiaddr> all;
  for (const std::string& text : texts) {
    auto addr = Multiaddr::from_text(text);
    if (!addr)
      return fail(Errc::invalid, std::string(option) + " " + text + ": " + addr.error().detail +
                                     "; an address is like /ip4/127.0.0.1/tcp/9001");
    all.push_back(*std::move(addr));
  }
  return all;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all.append(all.empty() ? "" : ",").append(part);
  return all;
}

Result<Options> common(const Typed& typed) {
  Options options;
  ASSIGN_OR_RETURN(options.bootstrap, addresses("--bootstrap", typed.bootstrap));
  if (!typed.kad_protocol.empty()) options.kad_protocol = typed.kad_protocol;
  if (!options.kad_protocol.starts_with('/'))
    return fail(Errc::invalid, "--kad-protocol begins with a slash, like /ipfs/kad/1.0.0");
  options.data_dir = typed.data_dir;
  if (typed.data_dir.empty()) {
    ASSIGN_OR_RETURN(options.data_dir, DataDir::usual());
  }
  if (!typed.identity.empty()) options.identity = typed.identity;
  if (!typed.keylog.empty()) options.keylog = typed.keylog;
  if (!typed.timeout.empty()) {
    ASSIGN_OR_RETURN(options.timeout, parse_timeout(typed.timeout));
  }
  options.json = typed.json;
  if (!typed.log.empty()) {
    ASSIGN_OR_RETURN(options.log, LogLevels::from_text(joined(typed.log)));
  }
  return options;
}

Result<std::uint16_t> port_number(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Errc::invalid, "--port " + text + ": a port is a number from 0 to 65535");
  return port;
}

Result<KadMode> mode(const std::string& text) {
  if (text == "client") return KadMode::client;
  if (text == "server") return KadMode::server;
  if (text == "auto") return KadMode::automatic;
  return fail(Errc::invalid, "--mode " + text + ": client, server or auto");
}

constexpr std::size_t kMiB = std::size_t{1024} * 1024, kMostRecord = 1'000'000;

Result<std::size_t> record_limit(const std::string& text) {
  std::size_t megabytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), megabytes);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (!number || megabytes == 0 || megabytes > kMostRecord)
    return fail(Errc::invalid, "--record-limit " + text + ": a number of MiB from 1 to " +
                                   std::to_string(kMostRecord));
  return megabytes * kMiB;
}

Result<std::optional<MetricsAt>> metrics(const Typed& typed) {
  if (typed.metrics.empty()) {
    if (!typed.metrics_names.empty())
      return fail(Errc::invalid, "--metrics-name needs --metrics ADDR");
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const auto at, addresses("--metrics", {typed.metrics}));
  if (!at.front().tcp_endpoint())
    return fail(Errc::invalid, "--metrics " + typed.metrics + ": only /ip4 and /ip6 with /tcp");
  return MetricsAt{at.front(), typed.metrics_names};
}

Result<Invocation> run_options(const Typed& typed) {
  if (typed.help) return PrintText{run_manual()};
  RunOptions run;
  ASSIGN_OR_RETURN(run.common, common(typed));
  ASSIGN_OR_RETURN(run.listen, addresses("--listen", typed.listen));
  if (!typed.port.empty()) {
    if (!run.listen.empty()) return fail(Errc::invalid, "--listen and --port exclude each other");
    ASSIGN_OR_RETURN(run.port, port_number(typed.port));
  } else if (run.listen.empty()) {
    run.port = 0;
  }
  if (!typed.mode.empty()) {
    ASSIGN_OR_RETURN(run.mode, mode(typed.mode));
  }
  ASSIGN_OR_RETURN(run.metrics, metrics(typed));
  run.stay = typed.stay;
  run.backfill = typed.backfill;
  run.set_aside_corrupt = typed.set_aside_corrupt;
  if (!typed.record.empty()) run.record = typed.record;
  run.redact = typed.redact;
  if (!typed.gossip_trace.empty()) run.gossip_trace = typed.gossip_trace;
  if (run.redact && !run.record) return fail(Errc::invalid, "--redact needs --record FILE");
  if (run.redact && run.common.keylog)
    return fail(Errc::invalid, "--redact and --keylog exclude each other");
  if (!typed.record_limit.empty()) {
    if (!run.record) return fail(Errc::invalid, "--record-limit needs --record FILE");
    ASSIGN_OR_RETURN(run.record_limit, record_limit(typed.record_limit));
  }
  return run;
}

Result<Invocation> once_options(const Typed& typed, const std::string& name, Words rest) {
  if (typed.help) return PrintText{help_text(name)};
  rest.insert(rest.begin(), name);
  ASSIGN_OR_RETURN(Command command, parse_command(rest));
  if (const auto* help = std::get_if<HelpCommand>(&command.action))
    return PrintText{help->about.empty() ? manual() : help_text(help->about)};
  if (find_command(name)->as_arguments == AsArguments::none)
    return fail(Errc::invalid, name + " means something only in a running node: kadnode run");
  ASSIGN_OR_RETURN(Options options, common(typed));
  return OnceOptions{std::move(options), std::move(command)};
}

// What no command claimed, with the words of `--` where CLI11 leaves them.
Result<Invocation> without_command(const Typed& typed, const Words& rest) {
  if (typed.version) return PrintText{std::string(kVersion)};
  if (typed.help) return PrintText{manual()};
  if (rest.empty()) return fail(Errc::invalid, "a command is missing; see kadnode --help");
  return fail(Errc::invalid, "no command is called '" + rest.front() + "'; see kadnode --help");
}

}  // namespace

Result<Invocation> parse_arguments(int argc, const char* const* argv) {
  Typed typed;
  CLI::App app;
  add_common(app, typed);
  app.add_flag("--version", typed.version);
  app.allow_extras();
  app.require_subcommand(0, 1);

  CLI::App* run = app.add_subcommand("run");
  run->allow_extras(false);
  add_common(*run, typed);
  add_list(*run, "--listen", typed.listen);
  add_text(*run, "--port", typed.port);
  add_text(*run, "--mode", typed.mode);
  add_text(*run, "--metrics", typed.metrics);
  add_list(*run, "--metrics-name", typed.metrics_names);
  run->add_flag("--stay", typed.stay);
  run->add_flag("--backfill", typed.backfill);
  run->add_flag("--set-aside-corrupt", typed.set_aside_corrupt);
  add_text(*run, "--record", typed.record);
  add_text(*run, "--record-limit", typed.record_limit);
  run->add_flag("--redact", typed.redact);
  add_text(*run, "--gossip-trace", typed.gossip_trace);
  for (const CommandInfo& info : commands()) {
    CLI::App* command = app.add_subcommand(std::string(info.name));
    add_common(*command, typed);
    command->allow_extras();  // its own grammar: command.h
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, std::string(error.what()) + "; see kadnode --help");
  }
  if (run->parsed()) return run_options(typed);
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return without_command(typed, app.remaining());
  return once_options(typed, chosen.front()->get_name(), chosen.front()->remaining());
}

}  // namespace kadmesh::kadnode
