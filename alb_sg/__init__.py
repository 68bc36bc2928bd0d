"""Security groups of Application Load Balancers, held against what Elastic Load Balancing recommends."""

__version__ = "0.2.0"
