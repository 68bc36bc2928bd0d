"""The live source: describe calls of Elastic Load Balancing and EC2, for one account and region."""

from alb_sg.aws.calls import LiveClients, client_config
from alb_sg.live.selection import LoadResult, Selection
from alb_sg.live.source import LiveSource

__all__ = ["LiveClients", "LiveSource", "LoadResult", "Selection", "client_config"]
