"""Terraform plans and CloudFormation templates as estates with unknown values."""
