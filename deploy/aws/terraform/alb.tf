# An Application Load Balancer, for its firewall and its certificates. Read the README first: it sends to targets that drain.
resource "aws_lb" "application" {
  count              = var.kind == "alb" ? 1 : 0
  name               = "sluicegate-${var.cluster}"
  load_balancer_type = "application"
  internal           = var.internal
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.balancer.id]
  idle_timeout       = local.idle_seconds
  # Routes are found by the host that the client asked for.
  preserve_host_header = true
  tags                 = local.tags
}

resource "aws_lb_target_group" "application" {
  count                = var.kind == "alb" ? 1 : 0
  name                 = "sluicegate-${var.cluster}"
  port                 = 80
  protocol             = "HTTP"
  target_type          = "instance"
  vpc_id               = var.vpc_id
  deregistration_delay = local.drain_seconds
  tags                 = local.tags

  health_check {
    protocol            = "HTTP"
    port                = local.health_port
    path                = local.health_path
    matcher             = "200"
    interval            = local.health_interval
    timeout             = local.health_timeout
    unhealthy_threshold = local.health_unhealthy_threshold
    healthy_threshold   = local.health_healthy_threshold
  }
}

resource "aws_lb_listener" "application" {
  count             = var.kind == "alb" ? 1 : 0
  load_balancer_arn = aws_lb.application[0].arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.application[0].arn
  }
}
