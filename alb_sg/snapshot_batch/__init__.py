"""`alb-sg check` over a lake of AWS Config's snapshots in S3, one account and region at a time on as many machines.

`plan` finds out whose objects there are, `judging` judges one account and region, `crossing` which need what others
hold, `merging` puts the results together; `function` is what Step Functions calls for each. See docs/sweep.md.
"""
