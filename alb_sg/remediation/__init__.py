"""From findings to changes: what would fix a load balancer, making it so, and taking it back.

`planning` and all that it uses is pure; `account`, `apply` and `undo` call AWS. Nothing here prints or asks.
"""
