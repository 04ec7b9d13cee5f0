# A Network Load Balancer. Targets are instances, so that Sluicegate sees the client's address.
resource "aws_lb" "network" {
  count                            = var.kind == "nlb" ? 1 : 0
  name                             = "sluicegate-${var.cluster}"
  load_balancer_type               = "network"
  internal                         = var.internal
  subnets                          = var.subnet_ids
  security_groups                  = [aws_security_group.balancer.id]
  enable_cross_zone_load_balancing = true
  tags                             = local.tags
}

resource "aws_lb_target_group" "network" {
  for_each             = var.kind == "nlb" ? toset(["80", "443"]) : toset([])
  name                 = "sluicegate-${var.cluster}-${each.key}"
  port                 = tonumber(each.key)
  protocol             = "TCP"
  target_type          = "instance"
  vpc_id               = var.vpc_id
  deregistration_delay = local.drain_seconds
  # Connections that are left at the end of the drain are reset by Sluicegate's own times, not in the middle of an answer.
  connection_termination = false
  tags                   = local.tags

  health_check {
    protocol            = "HTTP"
    port                = local.health_port
    path                = local.health_path
    interval            = local.health_interval
    timeout             = local.health_timeout
    unhealthy_threshold = local.health_unhealthy_threshold
    healthy_threshold   = local.health_healthy_threshold
  }
}

resource "aws_lb_listener" "network" {
  for_each          = aws_lb_target_group.network
  load_balancer_arn = aws_lb.network[0].arn
  port              = each.value.port
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = each.value.arn
  }
}
