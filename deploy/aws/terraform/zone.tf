# A hosted zone for the hosts that are served, unless there is one.
resource "aws_route53_zone" "this" {
  count = var.zone == "" ? 0 : 1
  name  = var.zone

  dynamic "vpc" {
    for_each = var.internal ? [var.vpc_id] : []
    content {
      vpc_id = vpc.value
    }
  }
}
