"""Whether a deployment works: read-only checks of an account and region, or of an organization.

`account` and `organization` run the checks. Each check says what it found, why it matters and what to do. What could
not be read is a result of its own, and never a passed check.
"""
