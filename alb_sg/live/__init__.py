"""The live source: describe calls of Elastic Load Balancing and EC2, for one account and region."""

from alb_sg.live.requests import LiveClients
from alb_sg.live.selection import Selection
from alb_sg.live.source import LiveSource, LoadResult

__all__ = ["LiveClients", "LiveSource", "LoadResult", "Selection"]
