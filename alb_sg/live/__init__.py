"""The live source: describe calls of Elastic Load Balancing and EC2, for one account and region."""

from alb_sg.live.calls import LiveClients, client_config
from alb_sg.live.selection import Loaded, Selection
from alb_sg.live.source import LiveSource

__all__ = ["LiveClients", "LiveSource", "Loaded", "Selection", "client_config"]
