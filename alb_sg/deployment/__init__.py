"""Deployment: builds the artifact, renders the templates, and deploys to one account with or without rdk.

This package runs on the machine that deploys. The artifact does not contain it.
"""
