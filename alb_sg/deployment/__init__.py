"""From a checkout to accounts: the artefact, the templates, and the two ways to deploy to one account.

Runs on the machine that deploys and is no part of what it deploys.
"""
