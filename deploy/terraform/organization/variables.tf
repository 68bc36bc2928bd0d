variable "dist" {
  description = "Folder with terraform.json, the templates and the artifact, as `make pack` writes them."
  type        = string
}

variable "upload_artifact" {
  description = "Whether to upload the artifact to the bucket of each region. The buckets (artefactBucket) must exist."
  type        = bool
  default     = true
}

variable "organizational_unit_ids" {
  description = "Organizational units, or the root, whose accounts get the member roles and the documents."
  type        = list(string)
}

variable "stack_set_call_as" {
  description = "SELF in the management account, DELEGATED_ADMIN in a delegated administrator of CloudFormation StackSets."
  type        = string
  default     = "DELEGATED_ADMIN"
}

variable "stack_name" {
  description = "stackName of rdk-config.json: the name of the pack, and the beginning of the StackSets' names."
  type        = string
  default     = "alb-sg"
}

variable "excluded_accounts" {
  description = "Accounts that get no pack: excludedAccounts of rdk-config.json, suspended accounts among them."
  type        = list(string)
  default     = []
}

variable "remediation" {
  description = "Whether a rule has remediation, so that every account needs the documents."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Further tags of the StackSets, beside those of rdk-config.json. StackSets hand them on to their stacks."
  type        = map(string)
  default     = {}
}
