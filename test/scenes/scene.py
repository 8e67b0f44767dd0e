"""What the scenes share. A scene states times for one idle machine; here they are multiplied by
SLOW, for a machine that does other work as well."""
import os
import sys
import unittest

from nodes import Nodes, until

SLOW = 15
KADNODE = None


class Scene(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(KADNODE)
        self.addCleanup(self.nodes.close)

    def soon(self, condition, seconds, what):
        """`condition` comes to hold within the scene's `seconds`; how long it took."""
        took = until(condition, seconds * SLOW)
        self.assertIsNotNone(took, f"{what}: not within {seconds} s, nor {SLOW} times that")
        return took


def main():
    global KADNODE
    KADNODE = os.path.abspath(sys.argv.pop(1))
    unittest.main(module=sys.modules["__main__"], verbosity=2)
