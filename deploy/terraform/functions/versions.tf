terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Resources have an argument `region` from this version on: one provider deploys to every region.
      version = ">= 6.25"
    }
  }
}
