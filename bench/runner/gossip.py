"""GossipSub between two processes and in a mesh of ten, of one stack each time. All stacks are driven alike, ours
too: by the verb gossip_pump of test/interop/PROTOCOL.md, which publishes and counts within the process.

Same for all: D = Dlo = Dhi = 3, a heartbeat of 1 s, no flood publishing, the same links, Kademlia as a client (so
that nobody finds others to connect to), each stack's own message ids when signed, SHA-256 of the data when not.
Not the same: js and kadmesh score peers, go and rust do not.
"""

import asyncio
import contextlib
import re
import time

from orchestrator import stack as stacks
from orchestrator.peer import until

from .process import Broken, Standing, figures, resident_bytes
from .ratio import FIGURE, Row
from .workload import Workload, cpu_of, peers_of, pid_of

TOPIC = "pumped"
FLAGS = ("--kad-mode", "client", "--gossip-d", "3")
UNSIGNED = ("--gossip-sign", "none", "--gossip-id", "sha256")
SIZES = (1024, 100, 56_000)  # rust pumps no more than 58,000: it stops hearing its peer
# gossip_pump's window. Among ten a process that does not run lets the others get 9 × (window - 1) messages ahead of it,
# each of them: what then waits for it must fit into any stack's queues, for what is dropped never comes.
WINDOWS = {2: {1024: 32, 100: 32, 56_000: 2}, 10: {1024: 8, 100: 8, 56_000: 1}}
LONG = 10_000  # bytes: a tenth as many of such messages
FORMED_SECONDS = 30
PUMP_SECONDS = 60
SETTLE_SECONDS = 10

PAIR = [(0, 1)]
# Ten, three links each: a ring and its diameters.
TEN = [(n, (n + 1) % 10) for n in range(10)] + [(n, n + 5) for n in range(5)]


@contextlib.asynccontextmanager
async def mesh_of(bench, stack, links, *flags):
    """Peers joined by these links and no others, all of them in the mesh."""
    count = 1 + max(max(link) for link in links)
    async with peers_of(bench, stack, *FLAGS, *flags, count=count) as peers:
        await asyncio.gather(*(peer.ask("gossip_join", topic=TOPIC, quiet=True) for peer in peers))
        for dialer, listener in links:
            await peers[dialer].ask("connect", addr=peers[listener].addr)
        degrees = [sum(n in link for link in links) for n in range(count)]
        await until(lambda: formed(peers, degrees), FORMED_SECONDS, "the mesh has formed")
        yield peers


async def formed(peers, degrees):
    meshes = await asyncio.gather(*(peer.ask("gossip_mesh", topic=TOPIC) for peer in peers))
    return [len(mesh["peers"]) for mesh in meshes] == degrees


async def pump(peers, count, size, interval_us=0):
    """Each of `peers` publishes `count` messages; what each answers."""
    async def run(number, peer):
        await asyncio.sleep(number * interval_us / 1e6 / len(peers))  # with an interval they take turns
        return await peer.ask("gossip_pump", PUMP_SECONDS, topic=TOPIC, count=count, size=size,
                              window=WINDOWS[len(peers)][size], others=len(peers) - 1, interval_us=interval_us)
    return await asyncio.gather(*(run(*numbered) for numbered in enumerate(peers)))


def count_of(bench, stack, size, messages):
    count = messages // (bench.sizes.slower if stack == "js" else 1) // (10 if size > LONG else 1)
    return max(count, 20)


async def pumped(bench, stack, peers, size, messages):
    """CPU of a delivery and deliveries a second, when all publish as fast as they can."""
    count = count_of(bench, stack, size, messages)
    await pump(peers, count // 4 + 1, size)
    deliveries = count * len(peers) * (len(peers) - 1)
    start, before = time.monotonic(), cpu_of(peers)
    await pump(peers, count, size)
    return (cpu_of(peers) - before) / deliveries * 1e6, deliveries / (time.monotonic() - start)


async def signature_floor(bench):
    return await figures(bench.program("signature_floor"), bench.sizes.signatures)


# --- two processes

async def pair_of(bench, stack, *flags):
    out = {}
    async with mesh_of(bench, stack, PAIR, *flags) as peers:
        for size in SIZES:
            out[f"cpu_us_{size}"], out[f"per_s_{size}"] = await pumped(bench, stack, peers, size,
                                                                       bench.sizes.pair_messages)
    return out


# --- a mesh of ten

async def ten_of(bench, stack):
    """Of signed messages the CPU is what is above a verification, measured before and after."""
    out = {}
    before = await signature_floor(bench)
    for kind, flags in (("", ()), ("unsigned_", UNSIGNED)):
        async with mesh_of(bench, stack, TEN, *flags) as peers:
            for size in SIZES:
                cpu, out[f"{kind}per_s_{size}"] = await pumped(bench, stack, peers, size, bench.sizes.mesh_messages)
                out[f"{kind}cpu_us_{size}"] = cpu
    after = await signature_floor(bench)
    for size in SIZES:
        out[f"cpu_us_{size}"] -= (before[f"verify_us_{size}"] + after[f"verify_us_{size}"]) / 2
    return out


def sent_of(listing, pids):
    """The sum of bytes_sent of these processes' sockets in what `ss -tinpHO` prints."""
    total = 0
    for line in listing.splitlines():
        sent = re.search(r"\bbytes_sent:(\d+)", line)
        if sent and pids & {int(pid) for pid in re.findall(r"\bpid=(\d+)", line)}:
            total += int(sent[1])
    return total


async def sent_bytes(peers):
    """What TCP was given to carry, of all connections of these peers."""
    process = await asyncio.create_subprocess_exec("ss", "-tinpHO", stdout=asyncio.subprocess.PIPE)
    listing, _ = await process.communicate()
    return sent_of(listing.decode(), {pid_of(peer) for peer in peers})


async def ten_in_time(bench, stack):
    """Delay at 20 messages a second of all together; bytes sent for each that is delivered, at full speed."""
    out = {}
    async with mesh_of(bench, stack, TEN) as peers:
        await pump(peers, 20, 1024)
        answers = await pump(peers, bench.sizes.timed_messages, 1024, interval_us=500_000)
        # The tail of the mesh is that of its worst node.
        out["p99_us"] = max(answer["p99_us"] for answer in answers)
        out["p50_us"] = sorted(answer["p50_us"] for answer in answers)[len(answers) // 2]
        for size in SIZES:
            count = count_of(bench, stack, size, bench.sizes.mesh_messages)
            before = await sent_bytes(peers)
            await pump(peers, count, size)
            data = count * len(peers) * (len(peers) - 1) * size
            out[f"sent_{size}"] = (await sent_bytes(peers) - before) / data
    return out


# --- memory

async def subscribed(bench, stack):
    """Resident bytes that each topic of each peer adds."""
    count, topics = bench.sizes.subscribers, bench.sizes.topics
    async with peers_of(bench, stack, "--kad-mode", "client", count=1) as (peer,):
        for n in range(topics):
            await peer.ask("gossip_join", topic=f"t-{n}")
        async with Standing(bench.program("subscribers"), peer.addr, count, topics) as crowd:
            await crowd.line()
            await asyncio.sleep(SETTLE_SECONDS)
            before = resident_bytes(pid_of(peer))
            crowd.process.stdin.write(b"\n")
            await asyncio.sleep(SETTLE_SECONDS)
            known = (await peer.ask("gossip_peers", topic=f"t-{topics - 1}"))["peers"]
            if len(known) < count:
                raise Broken(f"{stack}: only {len(known)} of {count} are known to subscribe")
            return {"bytes": (resident_bytes(pid_of(peer)) - before) / count / topics}


# --- the register

def of(measure, *arguments):
    async def ours(bench):
        return await measure(bench, stacks.US, *arguments)

    async def theirs(bench, stack):
        return await measure(bench, stack, *arguments)
    return ours, theirs


def without(stack):
    return lambda bench: "" if stack in bench.peers else f"{stack} is not built here"


def ten_beside(stack, cpu=None, speed=None):
    async def other(bench):
        return await ten_of(bench, stack)
    rows = []
    for kind, name in (("", "signed"), ("unsigned_", "unsigned")):
        for size in SIZES:
            # Targets are those of 1 KiB; the other sizes stand beside them.
            told = (cpu, speed) if size == 1024 else (None, None)
            what = f"gossip of ten beside {stack}, {name} {size} B"
            less = " less a verification" if not kind else ""
            rows += [Row(f"{kind}cpu_us_{size}", f"{what}: CPU of a delivery{less}", "us", at_most=told[0]),
                     Row(f"{kind}per_s_{size}", f"{what}: deliveries", "1/s", at_least=told[1])]
    return Workload(f"gossip_ten_{stack}", tuple(rows), of(ten_of)[0], None, other, repeats=3, absent=without(stack))


WORKLOADS = (
    Workload("gossip_pair", tuple(Row(f"cpu_us_{size}", f"gossip of two, signed {size} B: CPU of both", "us",
                                      at_most=1.5 if size == 1024 else None) for size in SIZES),
             *of(pair_of), signature_floor, repeats=3),
    Workload("gossip_pair_unsigned", tuple(Row(f"cpu_us_{size}", f"gossip of two, unsigned {size} B: CPU of both", "us",
                                               FIGURE) for size in SIZES),
             *of(pair_of, *UNSIGNED), repeats=3),
    ten_beside("go", cpu=1 / 4),
    ten_beside("rust", cpu=1 / 2),
    ten_beside("js", speed=12),
    Workload("gossip_ten", (Row("p99_us", "gossip of ten, 20 a second: p99 of the delay", "us", FIGURE, at_most=3000),
                            Row("p50_us", "gossip of ten, 20 a second: p50 of the delay", "us", FIGURE),
                            *(Row(f"sent_{size}", f"gossip of ten, signed {size} B: sent for each delivered", "B/B",
                                  FIGURE) for size in SIZES)),
             *of(ten_in_time), repeats=3),
    Workload("gossip_memory", (Row("bytes", "gossip: memory of a topic of a peer", "B", FIGURE),),
             *of(subscribed), repeats=1),
)
