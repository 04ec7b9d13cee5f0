//! `sluicegate dns`: what would change in Route 53; also the hosts that DNS is to know, as they are published.

mod show;

use std::time::{SystemTime, UNIX_EPOCH};

use aws::dns::cycle::Cycles;
use aws::dns::keeper::{Config, State};
use aws::dns::name::Name;
use aws::dns::plan::{Desired, Host, Plan, Targets};
use aws::dns::route53::Aws;
use aws::target::{Frontends, Scheme};
use compile::{HostScheme, ServedHost};
use model::{ObjectRef, Severity};

use crate::cli::{DnsCommand, DnsPlanArgs, Format};
use crate::run::on_control_runtime;
use crate::source::Read;
use crate::{FAILED, USAGE, config};

/// Most problems, and changes that are held back, that `/state` shows.
const SHOWN_MAX: usize = 50;

/// Exit codes, as of `diff`: 0 nothing would change and nothing is wrong, 1 something would or is, or AWS cannot be asked, 2
/// the flags or the objects cannot be used.
pub(crate) fn run(command: &DnsCommand) -> u8 {
    let DnsCommand::Plan(args) = command;
    match prepare(args) {
        Ok((config, read)) => tell(args, &config, &read),
        Err(error) => {
            eprintln!("error: {error}");
            USAGE
        }
    }
}

fn prepare(args: &DnsPlanArgs) -> Result<(Config, Read), String> {
    let none = "--dns-owner: say whose records these are, as my-cluster";
    let config = args.dns.config(args.aws.settings())?.ok_or(none)?;
    Ok((config, Read::new(&args.source, config::settings(&args.classes))?))
}

fn tell(args: &DnsPlanArgs, config: &Config, read: &Read) -> u8 {
    let desired = desired(&read.objects.compile(&read.settings).hosts, config.default_scheme);
    let planned = on_control_runtime(plan(args, config, &read.settings.class, &desired));
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error:#}");
            return FAILED;
        }
    };
    match args.format {
        Format::Text => print!("{}", show::text(&plan, config)),
        Format::Json => println!("{:#}", show::json(&plan)),
    }
    let is_wrong = plan.problems.iter().any(|problem| problem.severity == Severity::Error);
    if plan.changes.is_empty() && plan.withheld.is_empty() && !is_wrong { 0 } else { FAILED }
}

async fn plan(args: &DnsPlanArgs, config: &Config, class: &str, desired: &Desired) -> anyhow::Result<Plan> {
    let selector = args.which.selector(class).map_err(anyhow::Error::msg)?;
    let found = match selector {
        Some(selector) => aws::frontend::frontends(&config.sdk, &selector).await?,
        None => Frontends::default(),
    };
    let route53 = Aws::new(&aws::sdk::load(&config.sdk).await);
    let cycles = Cycles::new(route53, config.settings.clone(), config.filter.clone(), config.limits);
    Ok(cycles.plan(desired, &Targets::new(&config.given, &found)).await?)
}

/// What `/state` shows.
pub(crate) fn shown(state: &State) -> admin::Dns {
    let since_1970 = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let withheld = state.withheld.iter().take(SHOWN_MAX);
    admin::Dns {
        writes: state.writes,
        looked_at: state.last.map(since_1970),
        ours: state.owned,
        in_place: state.in_place,
        changes: state.made,
        withheld: withheld
            .map(|(change, why)| format!("{} {}: {why}", change.action.as_str(), change.name))
            .collect(),
        problems: state.problems.iter().take(SHOWN_MAX).map(ToString::to_string).collect(),
        error: state.error.clone(),
    }
}

/// The hosts that DNS is to know.
pub(crate) fn desired(served: &[ServedHost], default: Option<Scheme>) -> Desired {
    let mut desired = Desired::default();
    for ServedHost { host, scheme, object } in served {
        let name = Name::new(&host.to_string());
        let scheme = match scheme {
            HostScheme::Known(scheme) => Some(*scheme),
            HostScheme::Unsaid => default,
            HostScheme::Unreadable => {
                desired.kept.insert(name);
                continue;
            }
        };
        desired.hosts.extend(scheme.map(|scheme| Host { name, scheme, object: ObjectRef::clone(object) }));
    }
    desired
}
