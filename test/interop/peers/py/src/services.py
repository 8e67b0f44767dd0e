"""The four /test/… protocols, both ends."""

import os
import time

import trio
from libp2p.network.stream.exceptions import StreamEOF, StreamReset

ECHO = "/test/echo/1.0.0"
SINK = "/test/sink/1.0.0"
SOURCE = "/test/source/1.0.0"
RESET = "/test/reset/1.0.0"

CHUNK = 64 * 1024


def serve_all(host):
    host.set_stream_handler(ECHO, echo)
    host.set_stream_handler(SINK, sink)
    host.set_stream_handler(SOURCE, source)
    host.set_stream_handler(RESET, reset)


async def chunks(stream):
    while True:
        try:
            chunk = await stream.read(CHUNK)
        except StreamEOF:
            return
        if not chunk:
            return
        yield chunk


async def count_to_end(stream):
    count = 0
    async for chunk in chunks(stream):
        count += len(chunk)
    return count


async def read_exactly(stream, n):
    data = b""
    while len(data) < n:
        data += await stream.read(n - len(data))
    return data


async def send(stream, size):
    chunk = bytes(CHUNK)
    for at in range(0, size, CHUNK):
        await stream.write(chunk[:min(CHUNK, size - at)])


async def echo(stream):
    async for chunk in chunks(stream):
        await stream.write(chunk)
    await stream.close()


async def sink(stream):
    count = await count_to_end(stream)
    await stream.write(count.to_bytes(8, "big"))
    await stream.close()


async def source(stream):
    await send(stream, int.from_bytes(await read_exactly(stream, 8), "big"))
    await stream.close()


async def reset(stream):
    await read_exactly(stream, 1)
    await stream.reset()


async def send_and_close(stream, data):
    if data:
        await stream.write(data)
    await stream.close_write()


async def ask_echo(stream, count):
    sent, back = os.urandom(count), bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_and_close, stream, sent)
        async for chunk in chunks(stream):
            back += chunk
    if bytes(back) != sent:
        raise ValueError(f"{len(back)} other bytes came back")


async def ask_sink(stream, size):
    start = time.monotonic()
    await send(stream, size)
    await stream.close_write()
    count = int.from_bytes(await read_exactly(stream, 8), "big")
    return {"bytes": count, "seconds": time.monotonic() - start}


async def ask_source(stream, size):
    start = time.monotonic()
    await send_and_close(stream, size.to_bytes(8, "big"))
    return {"bytes": await count_to_end(stream), "seconds": time.monotonic() - start}


async def ask_duplex(stream, size):
    start = time.monotonic()

    async def write():
        await send(stream, size)
        await stream.close_write()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        count = await count_to_end(stream)
    return {"bytes": count, "seconds": time.monotonic() - start}


async def touch(stream):
    """Eight bytes there and back; the stream stays open."""
    await stream.write(b"kadmesh!")
    if await read_exactly(stream, 8) != b"kadmesh!":
        raise ValueError("other bytes came back")


async def finish(stream):
    await stream.close_write()
    if await count_to_end(stream):
        raise ValueError("data came after the echo")


async def ask_reset(stream):
    """A read of a given size would take a reset for an end."""
    await stream.write(b"\1")
    try:
        await stream.read()
    except StreamEOF:
        return "eof"
    except StreamReset:
        return "reset"
    raise ValueError("data came instead of a reset")
