"""A test peer on py-libp2p. It speaks the line protocol of ../../../PROTOCOL.md on its standard streams."""

import json
import logging
import os
import sys
import traceback

import libp2p
import trio

import arguments
from lines import say
from node import Node
from verbs import VERBS, Unsupported

LIFE_SECONDS = 15 * 60
TIMEOUT_MS = 10_000
READ_AT_ONCE = 64 * 1024


async def requests():
    """The lines of standard input, until it ends."""
    rest = b""
    async with trio.lowlevel.FdStream(os.dup(0)) as stream:
        while more := await stream.receive_some(READ_AT_ONCE):
            *lines, rest = (rest + more).split(b"\n")
            for line in lines:
                yield json.loads(line)


async def answer(node, request):
    try:
        with trio.fail_after(request.get("timeout_ms", TIMEOUT_MS) / 1000):
            if request["cmd"] not in VERBS:
                raise Unsupported(f"no verb {request['cmd']}")
            fields = await VERBS[request["cmd"]](node, request)
        say(id=request["id"], ok=True, **(fields or {}))
    except Unsupported as problem:
        say(id=request["id"], ok=False, error=str(problem), unsupported=True)
    except Exception as problem:
        traceback.print_exc()
        say(id=request["id"], ok=False, error=f"{type(problem).__name__}: {problem}")
    if request["cmd"] == "quit":
        end()


def end():
    """At once: the stack takes seconds to close, and nobody waits for that."""
    sys.stdout.flush()
    os._exit(0)


async def main():
    node = Node(arguments.parse())
    async with node.run():
        say(event="ready", stack="py", version=libp2p.__version__, id=node.id, addrs=node.addrs)
        with trio.move_on_after(LIFE_SECONDS):
            async for request in requests():
                node.nursery.start_soon(answer, node, request)
        end()


logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
trio.run(main)
