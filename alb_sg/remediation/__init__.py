"""From findings to changes: planning the rules that fix a load balancer, applying a plan, and undoing it.

`planning` and its imports are pure; `account`, `live_planning`, `apply` and `undo` call AWS. No module
here prints or prompts.
"""
