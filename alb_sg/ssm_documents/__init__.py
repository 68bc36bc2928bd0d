"""Remediation as AWS Systems Manager runs it: the documents, what their steps call, and the actions that takes.

`scripts` is what a document's steps import from the artefact; `documents` writes the documents and never runs on AWS.
"""
