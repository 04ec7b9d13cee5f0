variable "cluster" {
  description = "The value of the tag by which nodes find their load balancers: SLUICEGATE_FRONTEND_TAG_VALUE"
  type        = string
  default     = "my-cluster"
}

variable "class" {
  description = "The Ingress class of those load balancers: SLUICEGATE_CLASS"
  type        = string
  default     = "sluicegate"
}

variable "kind" {
  description = "Which load balancer to make: classic, nlb or alb"
  type        = string
  default     = "nlb"
  validation {
    condition     = contains(["classic", "nlb", "alb"], var.kind)
    error_message = "Write classic, nlb or alb."
  }
}

variable "internal" {
  description = "Whether it can be reached from within the VPC alone"
  type        = bool
  default     = false
}

variable "vpc_id" {
  type = string
}

variable "vpc_cidr" {
  type = string
}

variable "subnet_ids" {
  description = "The subnets of the load balancer, one for each zone that has nodes"
  type        = list(string)
}

variable "node_security_group_id" {
  description = "The security group of the nodes"
  type        = string
}

variable "certificate_arn" {
  description = "The certificate of an ALB; an NLB and a classic load balancer pass TLS on to Sluicegate"
  type        = string
  default     = ""
}

variable "zone" {
  description = "The domain to make a hosted zone for; empty if there is one"
  type        = string
  default     = ""
}

variable "oidc_provider_arn" {
  description = "The OIDC provider of the EKS cluster, for IRSA"
  type        = string
}

variable "oidc_provider" {
  description = "The same without https://, as oidc.eks.eu-west-1.amazonaws.com/id/ABC"
  type        = string
}
