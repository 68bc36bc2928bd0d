"""An organization's AWS Config aggregator: the verdicts that AWS Config has recorded in all its accounts and regions.

Nothing is judged here, and no account but the aggregator's own is called.
"""
