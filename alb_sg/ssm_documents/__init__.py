"""Remediation by AWS Systems Manager: the Automation documents, the functions of their steps, and their IAM actions.

The steps import `scripts` from the artifact. `documents` writes the documents and never runs on AWS.
"""
