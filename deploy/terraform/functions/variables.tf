variable "regions" {
  description = "Resources by region and logical id, each with Type and Properties, as terraform.json has them."
  type        = any
}
