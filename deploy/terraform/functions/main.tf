# The functions of the rules: roles, logs, failed-event queues, alarms and permissions. Every resource of the CloudFormation
# templates is one here, under the key "region/logical id". Properties become arguments, and no fact of a rule is here.

locals {
  resources = merge([
    for region, resources in var.regions : {
      for name, resource in resources : "${region}/${name}" => merge(resource, { Region = region })
    }
  ]...)
  # A map from each type to its resources.
  of_type = {
    for type in toset([for resource in local.resources : resource.Type]) :
    type => { for key, resource in local.resources : key => resource if resource.Type == type }
  }
}

resource "aws_iam_role" "this" {
  for_each             = try(local.of_type["AWS::IAM::Role"], {})
  name                 = each.value.Properties.RoleName
  path                 = try(each.value.Properties.Path, "/")
  description          = each.value.Properties.Description
  assume_role_policy   = jsonencode(each.value.Properties.AssumeRolePolicyDocument)
  permissions_boundary = try(each.value.Properties.PermissionsBoundary, null)
  tags                 = { for tag in try(each.value.Properties.Tags, []) : tag.Key => tag.Value }
}

resource "aws_iam_role_policy" "this" {
  for_each = merge([
    for key, resource in try(local.of_type["AWS::IAM::Role"], {}) : {
      for policy in resource.Properties.Policies : "${key}/${policy.PolicyName}" => merge(policy, { Role = key })
    }
  ]...)
  name   = each.value.PolicyName
  role   = aws_iam_role.this[each.value.Role].id
  policy = jsonencode(each.value.PolicyDocument)
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = try(local.of_type["AWS::Logs::LogGroup"], {})
  region            = each.value.Region
  name              = each.value.Properties.LogGroupName
  retention_in_days = each.value.Properties.RetentionInDays
  kms_key_id        = try(each.value.Properties.KmsKeyId, null)
  tags              = { for tag in try(each.value.Properties.Tags, []) : tag.Key => tag.Value }
}

resource "aws_sqs_queue" "this" {
  for_each                  = try(local.of_type["AWS::SQS::Queue"], {})
  region                    = each.value.Region
  name                      = each.value.Properties.QueueName
  message_retention_seconds = each.value.Properties.MessageRetentionPeriod
  kms_master_key_id         = try(each.value.Properties.KmsMasterKeyId, null)
  sqs_managed_sse_enabled   = try(each.value.Properties.SqsManagedSseEnabled, null)
  tags                      = { for tag in try(each.value.Properties.Tags, []) : tag.Key => tag.Value }
}

resource "aws_lambda_function" "this" {
  for_each                       = try(local.of_type["AWS::Lambda::Function"], {})
  region                         = each.value.Region
  function_name                  = each.value.Properties.FunctionName
  description                    = each.value.Properties.Description
  runtime                        = each.value.Properties.Runtime
  handler                        = each.value.Properties.Handler
  s3_bucket                      = each.value.Properties.Code.S3Bucket
  s3_key                         = each.value.Properties.Code.S3Key
  role                           = each.value.Properties.Role
  memory_size                    = each.value.Properties.MemorySize
  timeout                        = each.value.Properties.Timeout
  reserved_concurrent_executions = try(each.value.Properties.ReservedConcurrentExecutions, null)
  code_signing_config_arn        = try(each.value.Properties.CodeSigningConfigArn, null)
  tags                           = { for tag in each.value.Properties.Tags : tag.Key => tag.Value }

  dead_letter_config {
    target_arn = each.value.Properties.DeadLetterConfig.TargetArn
  }

  dynamic "environment" {
    for_each = try([each.value.Properties.Environment], [])
    content {
      variables = environment.value.Variables
    }
  }

  dynamic "vpc_config" {
    for_each = try([each.value.Properties.VpcConfig], [])
    content {
      subnet_ids         = vpc_config.value.SubnetIds
      security_group_ids = vpc_config.value.SecurityGroupIds
    }
  }

  # The properties name role, log group and queue by ARN, which Terraform cannot see.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this, aws_sqs_queue.this]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each                     = try(local.of_type["AWS::Lambda::EventInvokeConfig"], {})
  region                       = each.value.Region
  function_name                = each.value.Properties.FunctionName
  qualifier                    = each.value.Properties.Qualifier
  maximum_event_age_in_seconds = each.value.Properties.MaximumEventAgeInSeconds
  depends_on                   = [aws_lambda_function.this]
}

resource "aws_lambda_permission" "this" {
  for_each       = try(local.of_type["AWS::Lambda::Permission"], {})
  region         = each.value.Region
  action         = each.value.Properties.Action
  function_name  = each.value.Properties.FunctionName
  principal      = each.value.Properties.Principal
  source_account = try(each.value.Properties.SourceAccount, null)
  depends_on     = [aws_lambda_function.this]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = try(local.of_type["AWS::CloudWatch::Alarm"], {})
  region              = each.value.Region
  alarm_name          = each.value.Properties.AlarmName
  alarm_description   = each.value.Properties.AlarmDescription
  namespace           = each.value.Properties.Namespace
  metric_name         = each.value.Properties.MetricName
  dimensions          = { for dimension in each.value.Properties.Dimensions : dimension.Name => dimension.Value }
  statistic           = each.value.Properties.Statistic
  period              = each.value.Properties.Period
  evaluation_periods  = each.value.Properties.EvaluationPeriods
  comparison_operator = each.value.Properties.ComparisonOperator
  threshold           = each.value.Properties.Threshold
  treat_missing_data  = each.value.Properties.TreatMissingData
  alarm_actions       = try(each.value.Properties.AlarmActions, null)
  tags                = { for tag in try(each.value.Properties.Tags, []) : tag.Key => tag.Value }
}
