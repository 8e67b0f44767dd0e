import asyncio
import contextlib
import sys
import textwrap
import unittest

from orchestrator import peer as peers
from orchestrator.peer import Failure, Peer, Unsupported

# A peer in ten lines: it answers as its first flag says.
FAKE = textwrap.dedent("""
    import json, sys
    def say(**fields): print(json.dumps(fields), flush=True)
    if sys.argv[1] == "refuse":
        say(event="unsupported", error="cannot")
        sys.exit(2)
    say(event="ready", stack="fake", version="1", id="P", addrs=["/ip4/127.0.0.1/tcp/1"])
    print("a log line", file=sys.stderr, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "quit": sys.exit(0)
        if request["cmd"] == "die": sys.exit(7)
        if request["cmd"] == "panic":
            for line in request["said"]: print(line, file=sys.stderr)
            sys.exit(2)
        if request["cmd"] == "event": say(event="message", data="00")
        if request["cmd"] == "no": say(id=request["id"], ok=False, error="no", unsupported=request["x"])
        elif request["cmd"] != "silence": say(id=request["id"], ok=True, got=request.get("x"))
""")


def playing(story, *flags):
    async def run():
        peer = Peer("fake", [sys.executable, "-c", FAKE], flags or ["obey"])
        try:
            await peer.start()
            return await story(peer)
        finally:
            await peer.close()
    return asyncio.run(run())


def ended(*commands):
    """How a peer that was told these ended badly, if it did."""
    async def run():
        peer = Peer("fake", [sys.executable, "-c", FAKE], ["obey"])
        await peer.start()
        for command in commands:
            with contextlib.suppress(Failure):
                await peer.ask(command, 5)
        await peer.close()
        await peer.close()
        return peer.ended_badly
    return asyncio.run(run())


class Ending(unittest.TestCase):
    def test_who_quits_when_asked_ends_well(self):
        self.assertIsNone(ended("hello"))

    def test_who_is_gone_before_it_was_asked_ends_badly(self):
        self.assertIn("code 7", str(ended("hello", "die")))


def crash(command, closed=False, **arguments):
    async def story(peer):
        with contextlib.suppress(Failure):
            await peer.ask(command, 5, **arguments)
        if closed:
            await peer.close()
        return await peer.crash()
    return playing(story)


class Crashing(unittest.TestCase):
    def test_who_lives_or_ends_when_asked_has_not_crashed(self):
        self.assertIsNone(crash("hello"))
        self.assertIsNone(crash("hello", closed=True))

    def test_who_ends_unasked_has(self):
        self.assertEqual(crash("die"), "fake ended with code 7: a log line")
        self.assertEqual(crash("die", closed=True), "fake ended with code 7: a log line")

    def test_it_is_told_with_the_first_line_of_the_panic_however_much_follows(self):
        followed = [f"goroutine {i} [running]:" for i in range(100)]
        for panic in ("panic: runtime error: invalid memory address or nil pointer dereference",
                      "thread 'main' panicked at src/main.rs:1:2:", "TypeError: x is not a function",
                      "cryptography.exceptions.InvalidSignature: no"):
            with self.subTest(panic):
                self.assertEqual(crash("panic", said=["before", panic, *followed]), f"fake ended with code 2: {panic}")

    def test_the_story_has_that_line_too_when_it_is_no_longer_among_the_last(self):
        async def story(peer):
            with contextlib.suppress(Failure):
                await peer.ask("panic", said=["panic: nil", *map(str, range(100))])
            return await peer.crash() and peer.story()
        self.assertIn("ended with code 2: panic: nil", playing(story))

    def test_who_refuses_a_flag_ends_as_it_should(self):
        async def refused():
            peer = Peer("fake", [sys.executable, "-c", FAKE], ["refuse"])
            with contextlib.suppress(Unsupported):
                await peer.start()
            before, _ = await peer.crash(), await peer.close()
            return before, await peer.crash()
        self.assertEqual(asyncio.run(refused()), (None, None))


class Asking(unittest.TestCase):
    def test_the_answer_comes_back(self):
        async def story(peer):
            self.assertEqual((await peer.ask("verb", x=5))["got"], 5)
            self.assertEqual(peer.addr, "/ip4/127.0.0.1/tcp/1/p2p/P")
        playing(story)

    def test_a_refusal_is_a_failure_and_a_missing_api_is_told_apart(self):
        async def story(peer):
            with self.assertRaises(Failure):
                await peer.ask("no", x=False)
            with self.assertRaises(Unsupported):
                await peer.ask("no", x=True)
        playing(story)

    def test_silence_ends_at_the_deadline(self):
        grace, peers.GRACE_SECONDS = peers.GRACE_SECONDS, 0.05
        self.addCleanup(setattr, peers, "GRACE_SECONDS", grace)

        async def story(peer):
            with self.assertRaisesRegex(Failure, "no answer to silence"):
                await peer.ask("silence", 0.05)
        playing(story)

    def test_the_death_of_the_peer_ends_what_waits_for_it_and_what_comes_after(self):
        async def story(peer):
            for _ in range(2):
                with self.assertRaisesRegex(Failure, "ended with code 7"):
                    await peer.ask("die")
        playing(story)

    def test_a_refused_flag_is_unsupported(self):
        with self.assertRaisesRegex(Unsupported, "cannot"):
            playing(None, "refuse")


class Listening(unittest.TestCase):
    def test_messages_are_kept(self):
        async def story(peer):
            await peer.ask("event")
            self.assertEqual([m["data"] for m in peer.messages], ["00"])
        playing(story)

    def test_an_event_that_does_not_come_is_a_failure(self):
        async def story(peer):
            with self.assertRaisesRegex(Failure, "no such thing"):
                await peer.wait(lambda e: False, 0.05, "such thing")
        playing(story)

    def test_the_story_folds_polling_and_shows_the_log(self):
        async def story(peer):
            for _ in range(30):
                await peer.ask("poll")
            return peer
        told = playing(story).story()
        self.assertIn("(30 times)", told)
        self.assertIn("! a log line", told)


if __name__ == "__main__":
    unittest.main()
