output "function_arns" {
  description = "The functions' ARNs by region and logical id."
  # AWS Config checks its permission to invoke a function when a rule is created.
  value      = { for key, function in aws_lambda_function.this : key => function.arn }
  depends_on = [aws_lambda_permission.this]
}
