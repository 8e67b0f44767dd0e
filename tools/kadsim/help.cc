#include "kadsim/help.h"

namespace kadmesh::kadsim {
namespace {

constexpr std::string_view kHead =
    R"(kadsim - networks of kadmesh nodes, simulated: the real code, in virtual time

SYNOPSIS
  kadsim run SCENARIO [--seed N]        play a scenario once
  kadsim sweep SCENARIO --seeds A..B    play it under many seeds
  kadsim merge DIR... --out DIR         put the results of sweeps together
  kadsim shrink SCENARIO --seed N       make a failing scenario smaller
  kadsim replay CAPTURE                 run a recorded node again
  kadsim --help | --version
  kadsim COMMAND --help

DESCRIPTION
  A scenario (TOML, see scenarios/ and doc/simulation.md) says how many nodes
  there are, what lies between them, what happens when, and what must come true.
  One seed decides everything: the same scenario, seed and version play the same
  run to the last byte, on every machine.

OPTIONS OF EVERY COMMAND THAT PLAYS
  --nodes N           so many nodes, whatever the scenario says
  --set KEY=VALUE     another value: gossip.d=8, link.loss=2%; again for more
  --quiet             no progress, only results

EXIT STATUS
  0  every expectation held
  1  one did not, or a run crashed
  2  wrong arguments, or a scenario that cannot be played
  3  nothing to shrink: the run passes
  6  trouble on this side: a file, a folder, a process, the output

EXAMPLES
  kadsim run scenarios/s1-trio.toml
  kadsim run scenarios/gossip-1000.toml --seed 7 --nodes 200 --out /tmp/run
  kadsim sweep scenarios/s4-put-and-get.toml --seeds 1..1000 --jobs 8
  kadsim sweep scenarios/gossip-1000.toml --seeds 1..20 --vary gossip.d=4,6,8
  kadsim shrink scenarios/s3-any-order.toml --seed 412
)";

constexpr std::string_view kRun = R"(kadsim run - play a scenario once

SYNOPSIS
  kadsim run SCENARIO [OPTION]...

OPTIONS
  --seed N            the seed (1)
  --out DIR           where the results go (results/NAME-SEED)
  --trace FILTER      write DIR/trace.txt: a line a turn. FILTER is words, all
                      of which a line must have: node=3 input=bytes; '' for all
  --nodes, --set, --quiet: kadsim --help

RESULTS
  DIR/summary.json    seed, version, trace hash, verdicts, figures
  DIR/report.html     plots; opens from disk
  DIR/series.csv      figures over virtual time
  DIR/operations.csv  every operation: who, when, how it ended
  DIR/trace.txt       with --trace
)";

constexpr std::string_view kSweep = R"(kadsim sweep - play a scenario under many seeds

SYNOPSIS
  kadsim sweep SCENARIO --seeds A..B [OPTION]...

DESCRIPTION
  Each run is a process of its own: one that crashes or hangs is a failure like
  another. A failing seed is printed with the command that plays it again. Last
  line: `N passed, N failed`.

OPTIONS
  --seeds A..B        which seeds (1..100)
  --jobs N            runs at once (as many as there are processors)
  --vary KEY=A,B,C    each value under each seed; again for every combination
  --shard I/N         only every N-th run, from the I-th on
  --limit SECONDS     the most that one run may take in real time (600)
  --out DIR           where the results go (results/NAME-sweep)
  --resume            play only what DIR has no result of yet, or a crash; what
                      it has stays. It is written every few seconds, so a sweep
                      that was cut off loses only the runs under way
  --nodes, --set, --quiet: kadsim --help

RESULTS
  DIR/report.html     all variants side by side
  DIR/runs.csv        a run a line
  DIR/runs.jsonl, DIR/sweep.json   what merge reads
)";

constexpr std::string_view kMerge = R"(kadsim merge - put the results of sweeps together

SYNOPSIS
  kadsim merge DIR... --out DIR

DESCRIPTION
  All shards of a sweep merge to what one sweep of the whole would have written,
  byte for byte. Sweeps of other seeds or variants of the same scenario can be
  added later. Last line: `N passed, N failed`.
)";

constexpr std::string_view kShrink = R"(kadsim shrink - make a failing scenario smaller

SYNOPSIS
  kadsim shrink SCENARIO --seed N [OPTION]...

DESCRIPTION
  Plays it with fewer nodes, steps, repetitions and faults, and an earlier end,
  as long as the same expectation fails (or it crashes in the same way), and
  writes the smallest that was found.

OPTIONS
  --seed N            the seed with which it fails
  --out FILE          where the smaller one goes (NAME-shrunk.toml)
  --tries N           the most runs (500)
  --limit SECONDS     the most that one run may take in real time (600)
  --nodes, --set, --quiet: kadsim --help
)";

}  // namespace

std::string manual() { return std::string(kHead); }

std::string manual(std::string_view command) {
  if (command == "run") return std::string(kRun);
  if (command == "sweep") return std::string(kSweep);
  if (command == "merge") return std::string(kMerge);
  if (command == "shrink") return std::string(kShrink);
  return manual();
}

}  // namespace kadmesh::kadsim
