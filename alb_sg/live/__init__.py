"""A live account: which calls to make, making them, and AWS Config's recordings in place of some of them."""

from alb_sg.live.requests import LiveClients
from alb_sg.live.selection import Selection
from alb_sg.live.source import LiveSource, LoadResult

__all__ = ["LiveClients", "LiveSource", "LoadResult", "Selection"]
