"""What is played once more: what failed where a peer of another stack had ended by itself, which says nothing of us."""

from .peer import Failure


class Again:
    """Grants it once for each game. A game is whatever its owner plays: a case, or a case and a link."""

    def __init__(self):
        self._why = {}

    def grants(self, games, problem, crash):
        """Those of the games that failed with the problem that are to be played once more: none without a crash."""
        if not crash or not isinstance(problem, Failure):
            return []
        granted = [game for game in games if game not in self._why]
        self._why.update(dict.fromkeys(granted, crash))
        return granted

    def why(self, game):
        """How the peer ended on whose account the game is played once more; empty if it is not."""
        return self._why.get(game, "")
