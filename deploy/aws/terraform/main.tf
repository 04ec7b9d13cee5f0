# What the load balancer and the process agree on. A test holds these against deploy/base and deploy/aws.
locals {
  # SLUICEGATE_HEALTH of deploy/base. A lame duck answers 503 there at once.
  health_port = 9902
  health_path = "/ready"

  # Two failures 10 s apart, and the answer: within SLUICEGATE_LAME_DUCK_TIME, 30 s. This is the way out if AWS' API is away.
  health_interval            = 10
  health_timeout             = 5
  health_unhealthy_threshold = 2
  health_healthy_threshold   = 2

  # How long connections go on after a deregistration: below SLUICEGATE_FRONTEND_DRAIN_MAX, 150 s.
  drain_seconds = 120

  # Below --idle-timeout, 75 s, so that the load balancer closes an idle connection first.
  idle_seconds = 60

  tags = {
    "sky.uk/KubernetesClusterFrontend"     = var.cluster
    "sky.uk/KubernetesClusterIngressClass" = var.class
  }
}
