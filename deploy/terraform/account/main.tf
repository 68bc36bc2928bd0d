# One account: what stack.yaml and documents.yaml make, in every region of rdk-config.json.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  text = replace(
    replace(file("${var.dist}/terraform.json"), "__ACCOUNT__", data.aws_caller_identity.current.account_id),
    "__PARTITION__", data.aws_partition.current.partition
  )
  deployment = jsondecode(local.text)
  resources = merge([
    for region, resources in local.deployment.account : {
      for name, resource in resources : "${region}/${name}" => merge(resource, { Region = region })
    }
  ]...)
  rules        = { for key, resource in local.resources : key => resource if resource.Type == "AWS::Config::ConfigRule" }
  documents    = { for key, resource in local.resources : key => resource if resource.Type == "AWS::SSM::Document" }
  remediations = { for key, resource in local.resources : key => resource if resource.Type == "AWS::Config::RemediationConfiguration" }
  # Every function's Code names the bucket of its region.
  buckets = {
    for region, resources in local.deployment.account :
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

module "functions" {
  source  = "../functions"
  regions = local.deployment.account

  depends_on = [aws_s3_object.artifact]
}

resource "aws_ssm_document" "this" {
  for_each        = local.documents
  region          = each.value.Region
  name            = each.value.Properties.Name
  document_type   = each.value.Properties.DocumentType
  document_format = each.value.Properties.DocumentFormat
  target_type     = each.value.Properties.TargetType
  # Automation accepts a script only in a YAML document. JSON is YAML.
  content = jsonencode(each.value.Properties.Content)
  tags    = { for tag in each.value.Properties.Tags : tag.Key => tag.Value }

  dynamic "attachments_source" {
    for_each = each.value.Properties.Attachments
    content {
      key    = attachments_source.value.Key
      name   = attachments_source.value.Name
      values = attachments_source.value.Values
    }
  }

  depends_on = [aws_s3_object.artifact]
}

resource "aws_config_config_rule" "this" {
  for_each         = local.rules
  region           = each.value.Region
  name             = each.value.Properties.ConfigRuleName
  description      = each.value.Properties.Description
  input_parameters = jsonencode(each.value.Properties.InputParameters)

  scope {
    compliance_resource_types = each.value.Properties.Scope.ComplianceResourceTypes
  }

  source {
    owner             = each.value.Properties.Source.Owner
    source_identifier = each.value.Properties.Source.SourceIdentifier

    dynamic "source_detail" {
      for_each = each.value.Properties.Source.SourceDetails
      content {
        event_source                = source_detail.value.EventSource
        message_type                = source_detail.value.MessageType
        maximum_execution_frequency = try(source_detail.value.MaximumExecutionFrequency, null)
      }
    }
  }

  depends_on = [module.functions]
}

resource "aws_config_remediation_configuration" "this" {
  for_each                   = local.remediations
  region                     = each.value.Region
  config_rule_name           = each.value.Properties.ConfigRuleName
  target_type                = each.value.Properties.TargetType
  target_id                  = each.value.Properties.TargetId
  automatic                  = each.value.Properties.Automatic
  maximum_automatic_attempts = each.value.Properties.MaximumAutomaticAttempts
  retry_attempt_seconds      = each.value.Properties.RetryAttemptSeconds

  execution_controls {
    ssm_controls {
      concurrent_execution_rate_percentage = each.value.Properties.ExecutionControls.SsmControls.ConcurrentExecutionRatePercentage
      error_percentage                     = each.value.Properties.ExecutionControls.SsmControls.ErrorPercentage
    }
  }

  dynamic "parameter" {
    for_each = each.value.Properties.Parameters
    content {
      name           = parameter.key
      static_values  = try(parameter.value.StaticValue.Values, null)
      resource_value = try(parameter.value.ResourceValue.Value, null)
    }
  }

  depends_on = [aws_config_config_rule.this, aws_ssm_document.this]
}
