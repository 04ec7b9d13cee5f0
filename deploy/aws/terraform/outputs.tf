output "dns_name" {
  description = "What the hosts lead to"
  value       = one(concat(aws_elb.this[*].dns_name, aws_lb.network[*].dns_name, aws_lb.application[*].dns_name))
}

output "role_arn" {
  description = "For the annotation eks.amazonaws.com/role-arn in deploy/aws/common"
  value       = aws_iam_role.this.arn
}

output "zone_id" {
  value = one(aws_route53_zone.this[*].zone_id)
}
