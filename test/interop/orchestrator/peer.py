"""One peer process: started, asked, listened to, ended. Speaks the line protocol of PROTOCOL.md."""

import asyncio
import itertools
import json
import os
import re
import signal

from .tail import Tail, shown

READY_SECONDS = 30.0
# What a peer may take beyond the deadline that it was given, to say that it missed it.
GRACE_SECONDS = 5.0
QUIT_SECONDS = 2.0
# Others may have told of its end before it is over, and its log is read to the end.
DYING_SECONDS = 0.3
MAX_LINE = 16 << 20

# How go, rust, js and py begin to say what they die of; of chained exceptions the last is that.
PANIC = re.compile(r"panic: |fatal error: |thread '.*' panicked|\w*(Error|Exception)\b.*: |(\w+\.)+[A-Z]\w*: ")

slowness = 1.0
"""Every deadline is multiplied by it: for slow machines and sanitizers."""


class Failure(Exception):
    """The case failed: something is not as it must be."""


class Unsupported(Exception):
    """The stack says that it has no API for this."""


class Peer:
    """Owned by the scene that started it, which must close it."""

    def __init__(self, stack, command, flags):
        self.stack, self.flags = stack, list(flags)
        self.command = [*command, *self.flags]
        self.id, self.addrs, self.version = None, [], None
        self.events, self.messages = [], []
        self._lines, self._errors = Tail(), Tail()
        self._pending, self._waiters = {}, []
        self._numbers = itertools.count(1)
        self._process, self._readers, self._ended, self._closed = None, [], False, False
        self._refused, self._died = False, False
        self._panic = self._last_error = ""
        self.ended_badly = None
        """After close(): the failure that it had ended before, or did not end as asked."""

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, limit=MAX_LINE, start_new_session=True)
        self._readers = [asyncio.create_task(self._read_lines()), asyncio.create_task(self._read_errors())]
        ready = await self.wait(lambda e: e["event"] in ("ready", "unsupported"), READY_SECONDS, "ready")
        if ready["event"] == "unsupported":
            self._refused = True
            raise Unsupported(f"{self.stack}: {ready.get('error')}")
        self.id, self.addrs, self.version = ready["id"], ready["addrs"], ready.get("version")

    @property
    def addr(self):
        """The first listen address with the id."""
        return f"{self.addrs[0]}/p2p/{self.id}"

    async def ask(self, cmd, seconds=10.0, **arguments):
        """The answer's fields; raises Failure or Unsupported. Never waits much longer than `seconds`."""
        number = next(self._numbers)
        request = {"id": number, "cmd": cmd, "timeout_ms": int(seconds * slowness * 1000), **arguments}
        future = self._future()
        self._pending[number] = future
        self._send(json.dumps(request))
        try:
            reply = await asyncio.wait_for(future, (seconds * slowness) + GRACE_SECONDS)
        except asyncio.TimeoutError:
            raise Failure(f"{self.stack}: no answer to {cmd}") from None
        finally:
            self._pending.pop(number, None)
        if reply["ok"]:
            return reply
        problem = f"{self.stack}: {cmd}: {reply.get('error', 'no reason given')}"
        raise Unsupported(problem) if reply.get("unsupported") else Failure(problem)

    async def wait(self, wanted, seconds, what, since=0):
        """The first event for which wanted(event) holds, among those from number `since` on or to come."""
        for event in self.events[since:]:
            if wanted(event):
                return event
        future = self._future()
        waiter = (wanted, future)
        self._waiters.append(waiter)
        try:
            return await asyncio.wait_for(future, seconds * slowness)
        except asyncio.TimeoutError:
            raise Failure(f"{self.stack}: no {what} within {seconds * slowness:g} s") from None
        finally:
            self._waiters.remove(waiter)

    def _future(self):
        if self._ended:
            raise self._end()
        return asyncio.get_running_loop().create_future()

    def _end(self):
        return Failure(f"{self.stack}: the peer ended with code {self._process.returncode}")

    async def close(self):
        """Ends the process that start() made, kindly at first; a second time does nothing."""
        if self._process is None or self._closed:
            return
        died = self._process.returncode is not None
        self._closed, self._died = True, died and not self._refused
        self._send(json.dumps({"id": 0, "cmd": "quit"}))
        try:
            await asyncio.wait_for(self._process.wait(), QUIT_SECONDS)
        except asyncio.TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()
        await asyncio.wait(self._readers, timeout=DYING_SECONDS)
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if died or self._process.returncode != 0:
            self.ended_badly = self._end()

    @property
    def died(self):
        """It has ended although nobody had asked it to."""
        return self._died if self._closed else self._ended and not self._refused

    async def crash(self):
        """With which code and words it has died; None: it has not, not even in the next moment."""
        if self._readers and not self._closed:
            await asyncio.wait(self._readers, timeout=DYING_SECONDS)
        if not self.died:
            return None
        return f"{self.stack} {self._how_it_ended(self._panic or self._last_error)}"

    def _how_it_ended(self, words):
        return f"ended with code {self._process.returncode}" + (f": {shown(words)}" if words else "")

    def story(self):
        """The last protocol lines and log lines, for the reader of a failure."""
        lines = [f"--- {self.stack} {' '.join(self.flags)}".rstrip() + f" ({self.id})"]
        lines += [f"    {line}" for line in self._lines]
        if self.messages:
            lines.append(f"    ({len(self.messages)} message events not shown)")
        lines += [f"    ! {line}" for line in self._errors]
        if self._ended:
            lines.append(f"    {self._how_it_ended(self._panic)}")
        return "\n".join(lines)

    def _send(self, text):
        if self._process.stdin.is_closing():
            return
        self._lines.add("> " + text)
        self._process.stdin.write(text.encode() + b"\n")

    def _signal(self, number):
        try:
            os.killpg(self._process.pid, number)  # a session of its own: nobody else's process is in it
        except ProcessLookupError:
            pass

    async def _read_lines(self):
        try:
            while line := await self._process.stdout.readline():
                self._take(line.decode(errors="replace").rstrip("\n"))
        except ValueError:
            self._errors.add("a line beyond the limit")
        await self._process.wait()
        self._ended = True
        self._fail_all(self._end())

    async def _read_errors(self):
        try:
            while line := await self._process.stderr.readline():
                self._take_error(line.decode(errors="replace").rstrip())
        except ValueError:
            self._errors.add("a line beyond the limit")

    def _take_error(self, line):
        self._errors.add(line)
        self._last_error = line or self._last_error
        if PANIC.match(line):
            self._panic = line

    def _take(self, line):
        try:
            value = json.loads(line)
            is_event = "event" in value
        except (ValueError, TypeError):
            self._lines.add("< (not the protocol) " + line)
            return
        if is_event and value["event"] == "message":
            self.messages.append(value)
        else:
            self._lines.add("< " + line)
        if is_event:
            self._on_event(value)
        elif (future := self._pending.get(value.get("id"))) and not future.done():
            future.set_result(value)

    def _on_event(self, event):
        if event["event"] != "message":
            self.events.append(event)
        for wanted, future in self._waiters:
            if not future.done() and wanted(event):
                future.set_result(event)

    def _fail_all(self, error):
        futures = [*self._pending.values(), *(future for _, future in self._waiters)]
        for future in futures:
            if not future.done():
                future.set_exception(error)


async def until(condition, seconds, what, every=0.1):
    """Polls an async condition; returns its first true value."""
    deadline = asyncio.get_running_loop().time() + seconds * slowness
    while not (value := await condition()):
        if asyncio.get_running_loop().time() > deadline:
            raise Failure(f"not within {seconds * slowness:g} s: {what}")
        await asyncio.sleep(every)
    return value
