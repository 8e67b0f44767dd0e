"""What the scenes share."""
import os
import sys
import unittest

from nodes import Nodes, until

KADNODE = None


def allowed(seconds):
    """What is allowed where a scene says `seconds`, which is for an idle machine."""
    return 1 + 4 * seconds


class Scene(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(KADNODE)
        self.addCleanup(self.nodes.close)

    def soon(self, condition, seconds, what):
        """`condition` comes to hold within the scene's `seconds`; how long it took."""
        took = until(condition, allowed(seconds))
        self.assertIsNotNone(took, f"{what}: not within {seconds} s, nor {allowed(seconds)} s")
        return took


def main():
    global KADNODE
    KADNODE = os.path.abspath(sys.argv.pop(1))
    unittest.main(module=sys.modules["__main__"], verbosity=2)
