"""Parts that let the rules run on one machine against simulated AWS services, without an AWS account."""
