"""What the orchestrator knows of each stack, beyond what its peer says."""

US = "kadmesh"
OTHERS = ("go", "rust", "js", "py")

# The stacks that agree on the muxer inside the Noise handshake.
EARLY_MUXER = frozenset({US, "go", "js"})

# The message-id function that a stack uses unless told otherwise (--gossip-id).
GOSSIP_ID = {US: "go", "go": "go", "rust": "rust", "js": "js", "py": "py"}
