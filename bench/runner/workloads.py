"""What is measured: each workload for us, for its floor and for another stack's peer.

A workload is a name, its rows, and three coroutines that answer {row key: number}. `floor` is absent
where a row needs none. Other stacks do the same through the peers of test/interop: a peer against
a second one of its kind, so a figure per side is the stack's own on both sides.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import statistics
import tempfile
import time

from orchestrator import stack as stacks
from orchestrator.peer import Peer

from . import gossip
from .process import Broken, Standing, cpu_seconds, figures, resident_bytes
from .ratio import ABOVE, FIGURE, Row, of_floor
from .workload import Workload, cpu_of, peers_of, pid_of

# A newcomer looks itself up and refreshes its buckets within seconds of joining; then it is idle.
SETTLE_SECONDS = 30.0


# --- connecting

async def connect_floor(bench):
    return await figures(bench.program("handshake_floor"), bench.sizes.connections)


async def connect_ours(bench):
    return await figures(bench.program("connect"), bench.sizes.connections)


async def connect_once(dialer, listener):
    seen = len(listener.events)
    await dialer.ask("connect", addr=listener.addr)
    await listener.wait(lambda e: e["event"] == "connected", 10, "connection", since=seen)
    await dialer.ask("disconnect", peer=listener.id)
    await listener.wait(lambda e: e["event"] == "disconnected", 10, "disconnection", since=seen)


async def connect_theirs(bench, stack):
    count = max(bench.sizes.connections // bench.sizes.slower, 20)
    async with peers_of(bench, stack, "--bare") as (dialer, listener):
        for _ in range(count // 4):
            await connect_once(dialer, listener)
        before = cpu_of([dialer, listener])
        for _ in range(count):
            await connect_once(dialer, listener)
        return {"cpu_us": (cpu_of([dialer, listener]) - before) / 2 / count * 1e6}


# --- one stream

async def stream_floor(bench):
    return await figures(bench.program("pipe_floor"), bench.sizes.stream_bytes)


async def stream_ours(bench):
    return await figures(bench.program("stream"), bench.sizes.stream_bytes)


async def stream_theirs(bench, stack):
    size = bench.sizes.stream_bytes // 4
    async with peers_of(bench, stack) as (sender, receiver):
        await sender.ask("connect", addr=receiver.addr)
        await sender.ask("upload", 120, peer=receiver.id, size=size // 8)
        before = cpu_of([sender, receiver])
        answer = await sender.ask("upload", 300, peer=receiver.id, size=size)
        cpu = cpu_of([sender, receiver]) - before
        return {"mb_per_s": size / 1e6 / answer["seconds"], "cpu_s_per_gb": cpu / (size / 1e9)}


# --- ping

async def ping_floor(bench):
    return await figures(bench.program("ping_pong_floor"), bench.sizes.pings)


async def ping_ours(bench):
    return await figures(bench.program("ping"), bench.sizes.pings)


def seat_apart(peers):
    """Each on a processor of its own, as the floor's two sides."""
    if os.cpu_count() >= len(peers):
        for processor, peer in enumerate(peers):
            for task in pathlib.Path(f"/proc/{pid_of(peer)}/task").iterdir():
                os.sched_setaffinity(int(task.name), {processor})


async def ping_theirs(bench, stack):
    async with peers_of(bench, stack) as (asker, answerer):
        await asker.ask("connect", addr=answerer.addr)
        seat_apart([asker, answerer])
        count = bench.sizes.pings // bench.sizes.slower
        await asker.ask("ping", 60, peer=answerer.id, count=count // 4, interval_ms=0)
        start = time.monotonic()
        rtts = (await asker.ask("ping", 60, peer=answerer.id, count=count, interval_ms=0))["rtts_us"]
        each = (time.monotonic() - start) / count * 1e6
        whole_ms = all(rtt % 1000 == 0 for rtt in rtts)  # js: its clock says nothing, the mean must do
        return {"p50_us": each if whole_ms else statistics.median(rtts)}


# --- round trips

@contextlib.asynccontextmanager
async def link(bench):
    """Commands that put a program on the left and on the right of a delayed link, and the addresses."""
    async with Standing(bench.program("link"), bench.sizes.delay_ms) as made:
        pid, left, left_ip, right, right_ip = (await made.line()).split()
        enter = [["nsenter", f"--net=/proc/{pid}/fd/{space}", "--"] for space in (left, right)]
        yield list(zip(enter, (left_ip, right_ip)))


async def round_trips(bench, dialing, listening):
    """From connect to the first byte of an answer, in round trips of the link."""
    async with link(bench) as ((left, left_ip), (right, right_ip)):
        listener = peer_on(bench, listening, right, right_ip)
        dialer = None if dialing == stacks.US else peer_on(bench, dialing, left, left_ip)
        peers = [peer for peer in (listener, dialer) if peer]
        try:
            for peer in peers:
                await peer.start()
            seconds = await (ask_of(dialer, listener) if dialer else ask_ours(bench, left, listener))
        finally:
            await asyncio.gather(*(peer.close() for peer in peers))
    # The delay is many times what the peers themselves take: the count is what is whole.
    return {"round_trips": int(seconds / (2 * bench.sizes.delay_ms / 1000))}


def peer_on(bench, stack, side, ip):
    return Peer(stack, side + bench.peers[stack], ["--listen", f"/ip4/{ip}/tcp/0", "--bare"])


async def ask_ours(bench, side, listener):
    return (await figures(*side, bench.program("ask"), listener.addr))["seconds"]


async def ask_of(dialer, listener):
    """The echo's end comes with its bytes, so waiting for it takes no trip more."""
    start = time.monotonic()
    await dialer.ask("connect", addr=listener.addr)
    await dialer.ask("echo", peer=listener.id, bytes=8)
    return time.monotonic() - start


async def trips_ours(bench):
    return await round_trips(bench, stacks.US, stacks.US)


async def trips_theirs(bench, stack):
    return await round_trips(bench, stack, stack)


async def trips_dialing(bench, stack):
    return await round_trips(bench, stacks.US, stack)


async def trips_answering(bench, stack):
    return await round_trips(bench, stack, stacks.US)


# --- idle connections

@contextlib.asynccontextmanager
async def crowd_at(bench, addr):
    """As many identified connections as the floor has, each of a host of its own."""
    async with Standing(bench.program("crowd"), addr, bench.sizes.crowd) as crowd:
        said = json.loads(await crowd.line())
        if said["identified"] != bench.sizes.crowd:
            raise Broken(f"only {said['identified']:g} connections are identified")
        yield
        if (left := json.loads(await crowd.end())["left"]) > 0:
            raise Broken(f"{left:g} connections did not stay")


async def idle_at(bench, pid, addr):
    """What the crowd's connections cost the process `pid`, which listens at `addr`, and what the floor spends on
    as many in the same seconds: both are idle nearly all the time, and out of each other's way."""
    before = resident_bytes(pid)
    async with Standing(bench.program("idle_floor"), bench.sizes.crowd) as floor, crowd_at(bench, addr):
        await floor.line()
        await asyncio.sleep(SETTLE_SECONDS)
        held = resident_bytes(pid) - before
        ours, theirs = cpu_seconds(pid), (await floor.ask())["cpu_s"]
        await asyncio.sleep(bench.sizes.idle_seconds)
        ours, theirs = cpu_seconds(pid) - ours, (await floor.ask())["cpu_s"] - theirs
    per_second = 1000 / bench.sizes.idle_seconds
    return {"kib": held / bench.sizes.crowd / 1024, "cpu_ms_per_s": ours * per_second,
            of_floor("cpu_ms_per_s"): theirs * per_second}


async def idle_ours(bench):
    async with Standing(bench.program("host")) as host:
        return await idle_at(bench, host.pid, await host.line())


async def idle_theirs(bench, stack):
    async with peers_of(bench, stack, count=1) as (peer,):
        return await idle_at(bench, pid_of(peer), peer.addr)


# --- starting

async def until_first_line(*command):
    async with Standing(*command) as program:
        await program.line()
        return (time.monotonic() - program.start) * 1000


async def starts(count, *command):
    return {"ms": statistics.median([await until_first_line(*command) for _ in range(count)])}


async def start_of(bench, program):
    with tempfile.TemporaryDirectory() as folder:
        return await starts(bench.sizes.starts, bench.program(program), f"{folder}/rows.db")


async def start_floor(bench):
    return await start_of(bench, "start_floor")


async def start_ours(bench):
    return await start_of(bench, "host")


async def start_theirs(bench, stack):
    return await starts(min(bench.sizes.starts, 3), *bench.peers[stack])


# --- gets in a DHT of fifty

def without_opendht(bench):
    return "" if bench.program("opendht").exists() else "OpenDHT is not installed (tools/setup bench)"


def gets_of(program):
    async def gets(bench):
        return await figures(bench.program(program), 50, bench.sizes.gets, bench.sizes.newcomers)
    return gets


async def entry_ours(bench):
    return await figures(bench.program("dht"), "entry")


# --- serving FIND_NODE

IN_TABLE, CONNECTIONS, IN_FLIGHT = 80, 8, 8


def without(stack):
    return lambda bench: "" if stack in bench.peers else f"{stack} is not built here"


async def served(bench, server, how, count):
    """Answers for a CPU second of the server."""
    async with Standing(bench.program("find_node"), server.addr, IN_TABLE, CONNECTIONS, IN_FLIGHT, how) as client:
        await client.line()
        known = len((await server.ask("kad_table"))["peers"])
        if known < IN_TABLE:
            raise Broken(f"{server.stack}: {known} of {IN_TABLE} peers are in its table")
        await client.ask(count // 5)
        before = cpu_of([server])
        said = await client.ask(count)
        took = cpu_of([server]) - before
        if said["contacts"] < LEAST_CONTACTS:
            raise Broken(f"{server.stack}: an answer has {said['contacts']:.1f} peers")
        return said["answered"] / took


# Of the twenty that are asked for: js leaves out who asks, or what does not fit.
LEAST_CONTACTS = 19


def find_node(stack):
    async def find_node_of(bench):
        count = bench.sizes.questions // (bench.sizes.slower if stack == "js" else 1)
        out = {}
        for how in ("fresh", "reused"):
            async with peers_of(bench, stack, count=1) as (server,):
                out[how] = await served(bench, server, how, count)
        return out
    return find_node_of


def find_node_beside(stack, at_least=None):
    rows = (Row("fresh", f"FIND_NODE beside {stack}, a stream each", "1/s", at_least=at_least),
            Row("reused", f"FIND_NODE beside {stack}, streams reused", "1/s", at_least=at_least))
    return Workload(f"find_node_{stack}", rows, find_node(stacks.US), None, find_node(stack), repeats=3,
                    absent=without(stack))


# --- the simulator's engine

async def wheel_floor(bench):
    return await figures(bench.program("wheel_floor"), bench.sizes.events)


async def calendar_ours(bench):
    return await figures(bench.program("calendar"), bench.sizes.events)


async def packets_ours(bench):
    return await figures(bench.program("packets"), bench.sizes.events)


PENDING = (10, 1000, 100_000, 1_000_000)
# --- simulations

def simulated(*arguments):
    """Of bench/simulation.cc; what is callable is worked out from the sizes."""
    async def ours(bench):
        return await figures(bench.program("simulation"),
                             *(a(bench.sizes) if callable(a) else a for a in arguments))
    return ours


def simulated_load(level):
    return simulated("load", level, lambda s: s.town // 10, lambda s: s.town_seconds // 10)


NODE_SECONDS = "node_seconds_per_cpu_s"
TRIPS = "round_trips"
WORKLOADS = (
    Workload("connect", (Row("cpu_us", "connect: CPU of a side", "us", at_most=1.6),),
             connect_ours, connect_theirs, connect_floor),
    Workload("stream", (Row("mb_per_s", "stream: goodput", "MB/s", at_least=0.8),
                        Row("cpu_s_per_gb", "stream: CPU of both", "s/GB", at_most=1.3)),
             stream_ours, stream_theirs, stream_floor),
    Workload("ping", (Row("p50_us", "ping: p50", "us", at_most=1.5),), ping_ours, ping_theirs, ping_floor),
    Workload("round_trips", (Row(TRIPS, "round trips, both of a kind", "trips", FIGURE, at_most=3),),
             trips_ours, trips_theirs, repeats=1),
    Workload("round_trips_dialing", (Row(TRIPS, "round trips, kadmesh dials", "trips", FIGURE),),
             None, trips_dialing, repeats=1),
    Workload("round_trips_answering", (Row(TRIPS, "round trips, kadmesh answers", "trips", FIGURE),),
             None, trips_answering, repeats=1),
    Workload("idle", (Row("kib", "idle: memory a connection", "KiB", FIGURE, at_most=16),
                      Row("cpu_ms_per_s", "idle: CPU of the listener", "ms/s", at_most=2)),
             idle_ours, idle_theirs, repeats=3),
    Workload("start", (Row("ms", "start to listening", "ms", ABOVE, at_most=10),),
             start_ours, start_theirs, start_floor),
    Workload("get", (Row("cpu_us", "get: CPU of all, beside OpenDHT", "us", at_most=1),
                     Row("again_cpu_us", "get: the same key again", "us"),
                     Row("cold_cpu_ms", "get: CPU of all, cold", "ms"),
                     Row("p50_us", "get: p50", "us", FIGURE, at_most=1000),
                     Row("cold_ms", "get: cold", "ms", FIGURE, at_most=8),
                     Row("kib", "get: memory of a node, warm", "KiB")),
             gets_of("dht"), None, gets_of("opendht"), repeats=3, absent=without_opendht),
    Workload("table_entry", (Row("bytes_per_entry", "memory of a table's entry", "B", FIGURE),), entry_ours, repeats=1),
    find_node_beside("go", 3),
    find_node_beside("rust", 2),
    find_node_beside("js"),
    Workload("packets", (Row("packet_ns", "simulator: CPU of a packet", "ns", at_most=5),),
             packets_ours, None, wheel_floor),
    Workload("calendar", tuple(Row(f"ns_{n}", f"simulator: an event of {n:,}", "ns") for n in PENDING),
             calendar_ours, None, wheel_floor),
    Workload("sim_idle", (Row(NODE_SECONDS, "simulated idle mesh", "node-s/s", FIGURE, at_least=100_000),),
             simulated("idle", lambda s: s.town, 10, lambda s: s.town_seconds), repeats=1),
    Workload("sim_message", (Row(NODE_SECONDS, "simulated load, message level", "node-s/s", FIGURE, at_least=500),),
             simulated_load("message"), repeats=1),
    Workload("sim_unsigned", (Row(NODE_SECONDS, "simulated load, unsigned", "node-s/s", FIGURE, at_least=150),),
             simulated_load("unsigned"), repeats=1),
    Workload("sim_signed", (Row(NODE_SECONDS, "simulated load, signed", "node-s/s", FIGURE, at_least=50),),
             simulated_load("signed"), repeats=1),
    Workload("sim_rest", (Row("virtual_per_cpu_s", "ten simulated nodes at rest", "s/s", FIGURE, at_least=10_000),),
             simulated("rest", lambda s: 1000 * s.town_seconds), repeats=1),
    Workload("sim_lookups", (Row("lookups_per_cpu_s", "simulated lookups, message level", "1/s", FIGURE),),
             simulated("lookups", lambda s: s.town // 10, lambda s: s.lookups), repeats=1),
    Workload("sim_memory", (Row("bytes_per_node", "simulated node: memory", "B", FIGURE),
                            Row("bytes_per_connection_end", "simulated connection end: memory", "B", FIGURE)),
             simulated("memory", lambda s: s.town // 10, 20), repeats=1),
) + gossip.WORKLOADS
