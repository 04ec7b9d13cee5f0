# A Classic Load Balancer with TCP listeners: TLS ends in Sluicegate, and the PROXY protocol (version 1) tells the client.
resource "aws_elb" "this" {
  count    = var.kind == "classic" ? 1 : 0
  name     = "sluicegate-${var.cluster}"
  internal = var.internal
  subnets  = var.subnet_ids
  # No `instances`: nodes register themselves, and Terraform must not take them away.
  security_groups             = [aws_security_group.balancer.id]
  cross_zone_load_balancing   = true
  idle_timeout                = local.idle_seconds
  connection_draining         = true
  connection_draining_timeout = local.drain_seconds

  listener {
    lb_port           = 80
    lb_protocol       = "tcp"
    instance_port     = 80
    instance_protocol = "tcp"
  }

  listener {
    lb_port           = 443
    lb_protocol       = "tcp"
    instance_port     = 443
    instance_protocol = "tcp"
  }

  health_check {
    target              = "HTTP:${local.health_port}${local.health_path}"
    interval            = local.health_interval
    timeout             = local.health_timeout
    unhealthy_threshold = local.health_unhealthy_threshold
    healthy_threshold   = local.health_healthy_threshold
  }

  tags = local.tags

  lifecycle {
    ignore_changes = [instances]
  }
}

resource "aws_proxy_protocol_policy" "this" {
  count          = var.kind == "classic" ? 1 : 0
  load_balancer  = aws_elb.this[0].name
  instance_ports = ["80", "443"]
}
