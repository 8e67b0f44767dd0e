"""The command line of a test peer, as ../../../PROTOCOL.md lists it."""

import argparse
import sys

from lines import say

UNSUPPORTED = 2


def parse():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--listen", default="/ip4/127.0.0.1/tcp/0")
    parser.add_argument("--kad-protocol", default="/kadmesh/kad/1.0.0")
    parser.add_argument("--kad-mode", choices=("server", "client"), default="server")
    parser.add_argument("--seed", type=bytes.fromhex)
    parser.add_argument("--no-early-muxer", action="store_true")  # py-libp2p never offers one
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--gullible", action="store_true")
    parser.add_argument("--gossip-id", choices=("go", "rust", "js", "py", "sha256"), default="py")
    parser.add_argument("--gossip-sign", choices=("strict", "none"), default="strict")
    parser.add_argument("--gossip-d", type=int)
    parser.add_argument("--gossip-hold", type=int, default=0)
    parser.add_argument("--gossip-rpc", type=int)  # py-libp2p takes RPCs of 1 MiB as it is
    parser.add_argument("--gossip-scores")
    arguments = parser.parse_args()
    refuse(arguments.gossip_scores, "with scores it grafts beyond D at every heartbeat")
    refuse(arguments.gossip_sign == "none", "unsigned messages still carry from and seqno")
    refuse(arguments.gullible, "keys are text: the binary key of an IPNS record is none")
    return arguments


def refuse(wanted, reason):
    if wanted:
        say(event="unsupported", error=reason)
        sys.exit(UNSUPPORTED)
