"""`alb-sg check` over AWS Config's snapshots in S3, one account and region per function call. See docs/sweep.md."""
