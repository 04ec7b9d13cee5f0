//! The calls that are made, each by the name that its right has: `deploy/aws` grants these and no others.

/// A call of Elastic Load Balancing. Classic load balancers and the others share their rights' prefix and many names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Which load balancers there are.
    DescribeLoadBalancers,
    /// Their tags.
    DescribeTags,
    /// How long a classic one drains.
    DescribeLoadBalancerAttributes,
    /// The target groups of one.
    DescribeTargetGroups,
    /// How long a target group drains.
    DescribeTargetGroupAttributes,
    /// Whether this instance is in service at a classic one.
    DescribeInstanceHealth,
    /// Whether this target is healthy.
    DescribeTargetHealth,
    /// Makes a classic one send to this instance.
    RegisterInstancesWithLoadBalancer,
    /// Makes it send no more.
    DeregisterInstancesFromLoadBalancer,
    /// Makes a target group send to this target.
    RegisterTargets,
    /// Makes it send no more.
    DeregisterTargets,
}

impl Operation {
    /// All there are.
    pub const ALL: [Operation; 11] = [
        Operation::DescribeLoadBalancers,
        Operation::DescribeTags,
        Operation::DescribeLoadBalancerAttributes,
        Operation::DescribeTargetGroups,
        Operation::DescribeTargetGroupAttributes,
        Operation::DescribeInstanceHealth,
        Operation::DescribeTargetHealth,
        Operation::RegisterInstancesWithLoadBalancer,
        Operation::DeregisterInstancesFromLoadBalancer,
        Operation::RegisterTargets,
        Operation::DeregisterTargets,
    ];

    /// The call's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::DescribeLoadBalancers => "DescribeLoadBalancers",
            Operation::DescribeTags => "DescribeTags",
            Operation::DescribeLoadBalancerAttributes => "DescribeLoadBalancerAttributes",
            Operation::DescribeTargetGroups => "DescribeTargetGroups",
            Operation::DescribeTargetGroupAttributes => "DescribeTargetGroupAttributes",
            Operation::DescribeInstanceHealth => "DescribeInstanceHealth",
            Operation::DescribeTargetHealth => "DescribeTargetHealth",
            Operation::RegisterInstancesWithLoadBalancer => "RegisterInstancesWithLoadBalancer",
            Operation::DeregisterInstancesFromLoadBalancer => "DeregisterInstancesFromLoadBalancer",
            Operation::RegisterTargets => "RegisterTargets",
            Operation::DeregisterTargets => "DeregisterTargets",
        }
    }

    /// The right that it needs.
    pub fn action(self) -> String {
        format!("elasticloadbalancing:{}", self.as_str())
    }
}
