#include "kadsim/options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "kadsim/help.h"
#include "kadsim/result.h"

namespace kadmesh::kadsim {
namespace {

// As typed; the options are what it means.
struct Typed {
  std::vector<std::string> files, settings, variations;
  std::string seed, seeds, nodes, out, trace, shard, jobs, limit, tries;
  bool traced = false, quiet = false, resume = false, help = false, version = false;
};

void add_text(CLI::App& app, const char* name, std::string& into) {
  app.add_option(name, into)->take_last();
}

// One value an option: what follows is not swallowed.
void add_list(CLI::App& app, const char* name, std::vector<std::string>& into) {
  app.add_option(name, into)->allow_extra_args(false);
}

CLI::App* add_command(CLI::App& app, const char* name, Typed& typed, const char* files) {
  CLI::App* command = app.add_subcommand(name);
  command->allow_extras(false);
  command->set_help_flag();
  command->add_flag("-h,--help", typed.help);
  command->add_option(files, typed.files);
  add_text(*command, "--out", typed.out);
  return command;
}

void add_subject(CLI::App& command, Typed& typed) {
  add_text(command, "--nodes", typed.nodes);
  add_list(command, "--set", typed.settings);
  command.add_flag("--quiet", typed.quiet);
}

CLI::App* add_run(CLI::App& app, Typed& typed) {
  CLI::App* run = add_command(app, "run", typed, "scenario");
  add_subject(*run, typed);
  add_text(*run, "--seed", typed.seed);
  run->add_option("--trace", typed.trace)->take_last();
  return run;
}

CLI::App* add_sweep(CLI::App& app, Typed& typed) {
  CLI::App* sweep = add_command(app, "sweep", typed, "scenario");
  add_subject(*sweep, typed);
  add_text(*sweep, "--seeds", typed.seeds);
  add_text(*sweep, "--shard", typed.shard);
  add_text(*sweep, "--jobs", typed.jobs);
  add_text(*sweep, "--limit", typed.limit);
  add_list(*sweep, "--vary", typed.variations);
  sweep->add_flag("--resume", typed.resume);
  return sweep;
}

CLI::App* add_shrink(CLI::App& app, Typed& typed) {
  CLI::App* shrink = add_command(app, "shrink", typed, "scenario");
  add_subject(*shrink, typed);
  add_text(*shrink, "--seed", typed.seed);
  add_text(*shrink, "--limit", typed.limit);
  add_text(*shrink, "--tries", typed.tries);
  return shrink;
}

// --- from what was typed to what it means
Result<std::uint64_t> number(const char* option, const std::string& text, std::uint64_t least,
                             std::uint64_t most) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < least || out > most)
    return fail(Errc::invalid, std::string(option) + " " + text + ": a whole number from " +
                                   std::to_string(least) + " to " + std::to_string(most));
  return out;
}

// TOML knows no larger whole numbers.
constexpr std::uint64_t kMostSeed = 9'223'372'036'854'775'807;
constexpr std::uint64_t kMostJobs = 4096;

Result<Subject> subject(const Typed& typed) {
  if (typed.files.size() != 1)
    return fail(Errc::invalid, typed.files.empty()
                                   ? "which scenario? for example scenarios/s1-trio.toml"
                                   : "one scenario at a time");
  Subject out;
  out.file = typed.files.front();
  if (!typed.nodes.empty()) {
    ASSIGN_OR_RETURN(const std::uint64_t nodes, number("--nodes", typed.nodes, 1, 1'000'000));
    out.settings.push_back("nodes=" + std::to_string(nodes));
  }
  for (const std::string& setting : typed.settings) {
    Table scratch;
    if (const auto good = apply_setting(scratch, setting); !good)
      return fail(Errc::invalid, "--set " + good.error().detail);
    out.settings.push_back(setting);
  }
  return out;
}

Result<std::chrono::seconds> limit(const Typed& typed) {
  if (typed.limit.empty()) return std::chrono::seconds(600);
  ASSIGN_OR_RETURN(const std::uint64_t seconds, number("--limit", typed.limit, 1, 1'000'000));
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

Result<Invocation> run_options(const Typed& typed) {
  RunOptions out;
  ASSIGN_OR_RETURN(out.subject, subject(typed));
  if (!typed.seed.empty()) {
    ASSIGN_OR_RETURN(out.seed, number("--seed", typed.seed, 0, kMostSeed));
  }
  out.out = typed.out;
  if (typed.traced) out.trace = typed.trace;
  out.quiet = typed.quiet;
  return out;
}

Result<Invocation> sweep_options(const Typed& typed) {
  SweepOptions out;
  ASSIGN_OR_RETURN(out.subject, subject(typed));
  if (!typed.seeds.empty()) {
    ASSIGN_OR_RETURN(out.seeds, parse_seeds(typed.seeds));
  }
  if (!typed.shard.empty()) {
    ASSIGN_OR_RETURN(out.shard, parse_shard(typed.shard));
  }
  for (const std::string& text : typed.variations) {
    ASSIGN_OR_RETURN(Variation variation, parse_variation(text));
    out.variations.push_back(std::move(variation));
  }
  if (!typed.jobs.empty()) {
    ASSIGN_OR_RETURN(out.jobs, number("--jobs", typed.jobs, 1, kMostJobs));
  }
  ASSIGN_OR_RETURN(out.limit, limit(typed));
  out.out = typed.out;
  out.resume = typed.resume;
  out.quiet = typed.quiet;
  return out;
}

Result<Invocation> merge_options(const Typed& typed) {
  if (typed.files.empty()) return fail(Errc::invalid, "merge needs the folders of sweeps");
  if (typed.out.empty()) return fail(Errc::invalid, "merge needs --out DIR");
  MergeOptions out;
  out.folders.assign(typed.files.begin(), typed.files.end());
  out.out = typed.out;
  return out;
}

Result<Invocation> shrink_options(const Typed& typed) {
  ShrinkOptions out;
  ASSIGN_OR_RETURN(out.subject, subject(typed));
  if (typed.seed.empty()) return fail(Errc::invalid, "shrink needs --seed N, of a run that fails");
  ASSIGN_OR_RETURN(out.seed, number("--seed", typed.seed, 0, kMostSeed));
  if (!typed.tries.empty()) {
    ASSIGN_OR_RETURN(out.tries, number("--tries", typed.tries, 1, 1'000'000));
  }
  ASSIGN_OR_RETURN(out.limit, limit(typed));
  out.out = typed.out;
  out.quiet = typed.quiet;
  return out;
}

Result<Invocation> without_command(const Typed& typed, const std::vector<std::string>& rest) {
  if (typed.version) return PrintText{std::string(kVersion)};
  if (typed.help) return PrintText{manual()};
  if (rest.empty()) return fail(Errc::invalid, "a command is missing; see kadsim --help");
  return fail(Errc::invalid, "no command is called '" + rest.front() + "'; see kadsim --help");
}

}  // namespace

Result<Invocation> parse_arguments(int argc, const char* const* argv) {
  Typed typed;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", typed.help);
  app.add_flag("--version", typed.version);
  app.allow_extras();
  app.require_subcommand(0, 1);
  const CLI::App* run = add_run(app, typed);
  const CLI::App* sweep = add_sweep(app, typed);
  const CLI::App* merge = add_command(app, "merge", typed, "folders");
  const CLI::App* shrink = add_shrink(app, typed);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, std::string(error.what()) + "; see kadsim --help");
  }
  typed.traced = run->count("--trace") > 0;
  if (typed.help && !app.get_subcommands().empty())
    return PrintText{manual(app.get_subcommands().front()->get_name())};
  if (run->parsed()) return run_options(typed);
  if (sweep->parsed()) return sweep_options(typed);
  if (merge->parsed()) return merge_options(typed);
  if (shrink->parsed()) return shrink_options(typed);
  return without_command(typed, app.remaining());
}

}  // namespace kadmesh::kadsim
