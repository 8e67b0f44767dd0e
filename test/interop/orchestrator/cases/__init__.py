"""Importing the package registers every case, in the order of the matrix."""

from . import (connect, identify, ping, transfer, streams, kad, ipns, thirty, fifty, kept, gossip, idontwant,  # noqa: F401
               mesh, soak, trace, bare)
