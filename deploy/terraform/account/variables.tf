variable "dist" {
  description = "Folder with terraform.json and the artifact, as `make pack` writes them (dist/<version> of a release)."
  type        = string
}

variable "upload_artifact" {
  description = "Whether to upload the artifact to the bucket of each region. The buckets (artefactBucket) must exist."
  type        = bool
  default     = true
}
