# Clients reach the load balancer, and only that and the VPC reach the nodes' health port.
resource "aws_security_group" "balancer" {
  name        = "sluicegate-${var.cluster}"
  description = "Clients of Sluicegate's load balancer"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(["80", "443"])
  security_group_id = aws_security_group.balancer.id
  cidr_ipv4         = var.internal ? var.vpc_cidr : "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  for_each                     = toset(["80", "443", tostring(local.health_port)])
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each                     = toset(["80", "443", tostring(local.health_port)])
  security_group_id            = var.node_security_group_id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}
