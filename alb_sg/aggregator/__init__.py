"""An organization's AWS Config aggregator: what AWS Config has recorded in all its accounts and regions.

`observe` reads the verdicts that AWS Config has recorded, `estates` the load balancers and all that their verdicts
depend on. Only the aggregator's own account is called.
"""
