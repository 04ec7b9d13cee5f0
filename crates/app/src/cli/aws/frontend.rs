//! Which load balancers stand in front of this node, and how it is registered there.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use aws::frontend::{GivenIdentity, Selector, Settings, Tag};
use aws::sdk::Settings as Sdk;
use clap::{Args, Subcommand};

use super::super::before::Format;
use super::AwsArgs;
use crate::units::{Span, SpanOrNone};

/// Names that one process may be told: each costs a look.
const NAMES_MAX: usize = 20;
/// A node is registered within some seconds, and a thousand nodes stay below AWS' limits.
const INTERVAL: &str = "30s";
/// A faster look is for tests: AWS counts calls per account.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// AWS' default of both drain times, 300 s, and what it may be late, and some more.
const DRAIN_MAX: &str = "330s";

/// The commands about load balancers.
#[derive(Debug, Subcommand)]
pub(crate) enum FrontendCommand {
    /// Show the load balancers that are ours, and what AWS says of this instance there. Changes nothing
    Status(Box<StatusArgs>),
}

/// The arguments of `frontend status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,

    /// The class that load balancers are tagged with, as --class of run
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_CLASS", default_value_t = compile::Settings::default().class)]
    pub(crate) class: String,

    /// The form of the output
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// Which load balancers, and who we are there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load balancers of AWS")]
pub(crate) struct WhichArgs {
    /// Register this node at the load balancers whose tag --frontend-tag has this value
    #[arg(long, value_name = "VALUE", env = "SLUICEGATE_FRONTEND_TAG_VALUE")]
    frontend_tag_value: Option<String>,

    /// The tag that says to which cluster a load balancer belongs
    #[arg(
        long,
        value_name = "KEY",
        env = "SLUICEGATE_FRONTEND_TAG",
        default_value = "sky.uk/KubernetesClusterFrontend"
    )]
    frontend_tag: String,

    /// The tag that has to say our --class, too. Empty: a load balancer serves all classes
    #[arg(
        long,
        value_name = "KEY",
        env = "SLUICEGATE_FRONTEND_CLASS_TAG",
        default_value = "sky.uk/KubernetesClusterIngressClass"
    )]
    frontend_class_tag: String,

    /// Register this node at the load balancers with these names or ARNs, whatever their tags are
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_FRONTEND_NAMES", value_delimiter = ',')]
    frontend_names: Vec<String>,

    /// Register this node at the target groups with these names or ARNs
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_TARGET_GROUPS", value_delimiter = ',')]
    target_groups: Vec<String>,

    /// The port at which target groups send to this node, in place of their own
    #[arg(long, value_name = "PORT", env = "SLUICEGATE_FRONTEND_PORT_OVERRIDE")]
    frontend_port_override: Option<NonZeroU16>,

    /// The EC2 instance that this is, for classic load balancers and target groups of type instance. By default its own
    /// metadata service says so
    #[arg(long, value_name = "ID", env = "SLUICEGATE_FRONTEND_INSTANCE_ID")]
    frontend_instance_id: Option<String>,

    /// The address of this node, for target groups of type ip. By default the metadata service says so
    #[arg(long, value_name = "IP", env = "SLUICEGATE_FRONTEND_ADDRESS")]
    frontend_address: Option<IpAddr>,
}

/// This node at its load balancers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load balancers of AWS")]
pub(crate) struct FrontendArgs {
    #[command(flatten)]
    which: WhichArgs,

    /// How often each registration is looked at. One that was lost is made again then, and a new load balancer is noticed
    /// within ten times this
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_FRONTEND_INTERVAL", default_value = INTERVAL)]
    frontend_interval: Span,

    /// How long load balancers are waited for before a process that leaves begins to drain. Within this, it waits until AWS
    /// says that they have let go, at most as long as they say themselves that they drain. Keep it above that
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_FRONTEND_DRAIN_MAX", default_value = DRAIN_MAX)]
    frontend_drain_max: Span,

    /// Be ready only when this node is in service at all its load balancers, or after this time: for rollouts where no process
    /// takes over from another. What load balancers are told at --health does not wait for it. 0s: is not waited for
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_FRONTEND_READY_WAIT", default_value = "0s")]
    frontend_ready_wait: SpanOrNone,
}

impl WhichArgs {
    /// What is meant; none if no load balancer is asked for.
    ///
    /// # Errors
    /// Names the flag that cannot be used.
    pub(crate) fn selector(&self, class: &str) -> Result<Option<Selector>, &'static str> {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let tags = self.frontend_tag_value.iter().flat_map(|value| {
            let class = (!self.frontend_class_tag.is_empty()).then(|| tag(&self.frontend_class_tag, class));
            [Some(tag(&self.frontend_tag, value)), class].into_iter().flatten()
        });
        let (names, groups) = (self.frontend_names.clone(), self.target_groups.clone());
        let selector = Selector { tags: tags.collect(), names, groups };
        if selector.names.len() > NAMES_MAX || selector.groups.len() > NAMES_MAX {
            return Err("--frontend-names, --target-groups: name at most 20, or use --frontend-tag-value");
        }
        if self.frontend_tag_value.as_ref().is_some_and(String::is_empty) || self.frontend_tag.is_empty() {
            return Err("--frontend-tag-value: name a value, and a tag: AWS has no empty ones");
        }
        let says_more = self.frontend_port_override.is_some()
            || self.frontend_instance_id.is_some()
            || self.frontend_address.is_some();
        if selector.is_empty() && says_more {
            return Err(
                "say which load balancers: --frontend-tag-value, --frontend-names or --target-groups",
            );
        }
        Ok((!selector.is_empty()).then_some(selector))
    }

    fn identity(&self) -> GivenIdentity {
        GivenIdentity { instance_id: self.frontend_instance_id.clone(), address: self.frontend_address }
    }
}

impl FrontendArgs {
    /// What is meant; none if no load balancer is asked for.
    ///
    /// # Errors
    /// Names the flag that cannot be used.
    pub(crate) fn settings(&self, sdk: Sdk, class: &str) -> Result<Option<Settings>, &'static str> {
        let selector = self.which.selector(class)?;
        if selector.is_none() && !self.frontend_ready_wait.0.is_zero() {
            return Err("--frontend-ready-wait: say which load balancers, as with --frontend-tag-value");
        }
        if self.frontend_interval.0 < INTERVAL_MIN {
            return Err("--frontend-interval: at least 100ms");
        }
        let Some(selector) = selector else { return Ok(None) };
        Ok(Some(Settings {
            sdk,
            selector,
            identity: self.which.identity(),
            port: self.which.frontend_port_override.map(NonZeroU16::get),
            interval: self.frontend_interval.0,
            drain_max: self.frontend_drain_max.0,
            ready_wait: self.frontend_ready_wait.0,
        }))
    }
}

impl StatusArgs {
    /// What is meant.
    ///
    /// # Errors
    /// Names the flag that cannot be used, or is missing.
    pub(crate) fn settings(&self) -> Result<Settings, &'static str> {
        let none = "say which load balancers: --frontend-tag-value, --frontend-names or --target-groups";
        let selector = self.which.selector(&self.class)?.ok_or(none)?;
        Ok(Settings {
            sdk: self.aws.settings(),
            selector,
            identity: self.which.identity(),
            port: self.which.frontend_port_override.map(NonZeroU16::get),
            interval: Duration::ZERO,
            drain_max: Duration::ZERO,
            ready_wait: Duration::ZERO,
        })
    }
}
