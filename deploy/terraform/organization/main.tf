# An organization: the functions in this account, the delegated administrator of AWS Config; the member roles and the
# documents through service-managed StackSets; the pack through AWS Config. Terraform reaches one account at a time, so what
# every account needs stays in CloudFormation.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_organizations_organization" "current" {}

locals {
  in_account   = replace(file("${var.dist}/terraform.json"), "__ACCOUNT__", data.aws_caller_identity.current.account_id)
  in_partition = replace(local.in_account, "__PARTITION__", data.aws_partition.current.partition)
  # Where rdk-config.json does not name the organization.
  text       = replace(local.in_partition, "__ORGANIZATION__", data.aws_organizations_organization.current.id)
  deployment = jsondecode(local.text)
  regions    = toset(keys(local.deployment.functions))
  tags       = merge(local.deployment.tags, var.tags)
  central    = { CentralAccountId = data.aws_caller_identity.current.account_id }
  buckets = {
    for region, resources in local.deployment.functions :
    region => [for resource in resources : resource.Properties.Code.S3Bucket if resource.Type == "AWS::Lambda::Function"][0]
  }
}

resource "aws_s3_object" "artifact" {
  for_each     = var.upload_artifact ? local.buckets : {}
  region       = each.key
  bucket       = each.value
  key          = local.deployment.artifact.key
  source       = "${var.dist}/${local.deployment.artifact.file}"
  content_type = "application/zip"
}

# The member roles come first: a function that cannot assume its role fails on every event.
resource "aws_cloudformation_stack_set" "member" {
  region           = local.deployment.home_region
  name             = "${var.stack_name}-member"
  description      = "Roles of the rules and documents of alb-sg"
  permission_model = "SERVICE_MANAGED"
  call_as          = var.stack_set_call_as
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = file("${var.dist}/member.yaml")
  parameters       = local.central
  tags             = local.tags

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  lifecycle {
    # Service-managed StackSets have no administration role; AWS answers one all the same.
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_instances" "member" {
  region         = local.deployment.home_region
  stack_set_name = aws_cloudformation_stack_set.member.name
  call_as        = var.stack_set_call_as
  # Roles are global: one region.
  regions = [local.deployment.home_region]

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }
}

module "functions" {
  source  = "../functions"
  regions = local.deployment.functions

  depends_on = [aws_s3_object.artifact, aws_cloudformation_stack_instances.member]
}

# More than CloudFormation accepts in a request.
resource "aws_s3_object" "documents" {
  count        = var.remediation ? 1 : 0
  region       = local.deployment.home_region
  bucket       = local.buckets[local.deployment.home_region]
  key          = "alb-sg/documents-${filesha256("${var.dist}/documents.yaml")}.yaml"
  source       = "${var.dist}/documents.yaml"
  content_type = "application/yaml"
}

resource "aws_cloudformation_stack_set" "documents" {
  count            = var.remediation ? 1 : 0
  region           = local.deployment.home_region
  name             = "${var.stack_name}-documents"
  description      = "Remediation documents of alb-sg"
  permission_model = "SERVICE_MANAGED"
  call_as          = var.stack_set_call_as
  # Only a bucket whose name contains the account needs the parameter.
  parameters   = can(yamldecode(file("${var.dist}/documents.yaml")).Parameters) ? local.central : {}
  template_url = "https://${aws_s3_object.documents[0].bucket}.s3.${local.deployment.home_region}.${data.aws_partition.current.dns_suffix}/${aws_s3_object.documents[0].key}"
  tags         = local.tags

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  lifecycle {
    ignore_changes = [administration_role_arn]
  }

  # Systems Manager copies the artifact from the bucket of each region.
  depends_on = [aws_s3_object.artifact]
}

resource "aws_cloudformation_stack_instances" "documents" {
  count          = var.remediation ? 1 : 0
  region         = local.deployment.home_region
  stack_set_name = aws_cloudformation_stack_set.documents[0].name
  call_as        = var.stack_set_call_as
  regions        = local.regions

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }
}

resource "aws_config_organization_conformance_pack" "this" {
  for_each = local.regions
  region   = each.key
  name     = var.stack_name
  # A region with a regionalScope has its own pack.
  template_body     = try(file("${var.dist}/conformance-pack.${each.key}.yaml"), file("${var.dist}/conformance-pack.yaml"))
  excluded_accounts = var.excluded_accounts

  input_parameter {
    parameter_name  = "CentralAccountId"
    parameter_value = data.aws_caller_identity.current.account_id
  }

  depends_on = [module.functions, aws_cloudformation_stack_instances.documents]
}
