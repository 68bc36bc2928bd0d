"""`aggregator.yaml`: what AWS Config records in every account and region of the organization, in one place."""

from __future__ import annotations

from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template, arn_of, policy_document, sub

AGGREGATOR_NAME = "alb-sg"


def aggregator_template() -> Template:
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: the organization's aggregator, for the delegated administrator (one region is enough)",
        "Resources": {
            "AggregatorRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Description": "Lets AWS Config list the organization's accounts for the aggregator",
                    "AssumeRolePolicyDocument": policy_document(
                        [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "config.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                            }
                        ]
                    ),
                    "ManagedPolicyArns": [
                        sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations")
                    ],
                },
            },
            "Aggregator": {
                "Type": "AWS::Config::ConfigurationAggregator",
                "Properties": {
                    "ConfigurationAggregatorName": AGGREGATOR_NAME,
                    "OrganizationAggregationSource": {"AllAwsRegions": True, "RoleArn": arn_of("AggregatorRole")},
                },
            },
        },
    }
