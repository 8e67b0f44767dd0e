"""Processes from outside: what they print, the CPU time they have used, the memory they hold."""

import asyncio
import json
import pathlib
import time

RUN_SECONDS = 300
LINE_SECONDS = 120


class Broken(Exception):
    """A program did not do what it is there for."""


def cpu_seconds(pid):
    """User and system time of all threads, by the kernel's clock of that process (nanoseconds)."""
    return time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid() makes it


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Broken(f"process {pid} holds no memory")


async def figures(program, *arguments):
    """Runs it to its end; the numbers of the one line that it prints."""
    process = await asyncio.create_subprocess_exec(str(program), *map(str, arguments),
                                                   stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                                                   stderr=asyncio.subprocess.PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        raise Broken(f"{program.name}: not done after {RUN_SECONDS} s") from None
    if process.returncode != 0:
        raise Broken(f"{program.name}: {err.decode(errors='replace').strip() or process.returncode}")
    return json.loads(out)


class Standing:
    """A program that stays until its input ends: `async with Standing(...) as it`."""

    def __init__(self, *command):
        self.command = list(map(str, command))

    async def __aenter__(self):
        self.start = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        return self

    @property
    def pid(self):
        return self.process.pid

    async def line(self):
        line = await asyncio.wait_for(self.process.stdout.readline(), LINE_SECONDS)
        if not line:
            raise Broken(f"{pathlib.Path(self.command[0]).name} ended")
        return line.decode().strip()

    async def ask(self, what=""):
        self.process.stdin.write(f"{what}\n".encode())
        return json.loads(await self.line())

    async def end(self):
        """Its last words."""
        self.process.stdin.close()
        out = await asyncio.wait_for(self.process.stdout.read(), LINE_SECONDS)
        return out.decode().strip()

    async def __aexit__(self, *_):
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
