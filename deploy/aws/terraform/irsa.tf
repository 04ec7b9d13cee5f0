# The role of the pods, and of no others: IAM roles for service accounts.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider}:sub"
      values   = ["system:serviceaccount:sluicegate:sluicegate"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "sluicegate"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "load_balancers" {
  name   = "load-balancers"
  role   = aws_iam_role.this.id
  policy = replace(file("${path.module}/../iam/load-balancers.json"), "my-cluster", var.cluster)
}
