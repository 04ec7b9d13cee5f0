//! How AWS is reached, for all that asks it, and which load balancers are ours.

mod dns;
mod frontend;

use aws::sdk::Settings;
use clap::Args;

pub(crate) use dns::{DnsArgs, DnsCommand, DnsPlanArgs};
pub(crate) use frontend::{FrontendArgs, FrontendCommand, StatusArgs};

/// Region and address of AWS' services. Credentials are found as AWS' own tools do.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct AwsArgs {
    /// The region of the load balancers. By default that of AWS_REGION, of the profile, or of this instance
    #[arg(long, value_name = "REGION", env = "SLUICEGATE_AWS_REGION")]
    aws_region: Option<String>,

    /// Where all of AWS' services are asked, in place of their own addresses: a private endpoint, or a stand-in for tests
    #[arg(long, value_name = "URL", env = "SLUICEGATE_AWS_ENDPOINT")]
    aws_endpoint: Option<String>,
}

impl AwsArgs {
    /// What is meant.
    pub(crate) fn settings(&self) -> Settings {
        Settings { region: self.aws_region.clone(), endpoint: self.aws_endpoint.clone() }
    }
}
