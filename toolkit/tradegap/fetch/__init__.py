"""Outside the flow: statistics and lists of documents from elsewhere, for those with a network.

Nothing of a build imports this. What comes in is held to the declared tables before a file is
touched, so that a server's fault leaves what was there.
"""

from tradegap.fetch.news import find_news
from tradegap.fetch.statistics import fetch_trade

__all__ = ["fetch_trade", "find_news"]
