//! Load balancers, target groups and targets, and what time does to them.

use std::time::{Duration, Instant};

use crate::Failure;

/// Entries of a page, however many are asked for; so small that tests meet more than one.
pub(crate) const PAGE: usize = 3;

/// What a load balancer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Classic Load Balancer.
    Classic,
    /// A Network Load Balancer.
    Network,
    /// An Application Load Balancer.
    Application,
}

/// What a target group registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetType {
    /// Instances.
    Instance,
    /// Addresses.
    Ip,
    /// Functions: nothing of ours.
    Lambda,
}

/// A load balancer.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    pub(crate) scheme: &'static str,
    pub(crate) tags: Vec<(String, String)>,
    /// How long a classic one drains connections; none if that is switched off.
    pub(crate) drain: Option<u64>,
    pub(crate) targets: Vec<Target>,
}

impl Balancer {
    /// Internet-facing, without tags; a classic one drains for two seconds.
    pub fn new(kind: Kind, name: &str) -> Balancer {
        let (tags, targets) = (Vec::new(), Vec::new());
        Balancer { kind, name: name.into(), scheme: "internet-facing", tags, drain: Some(2), targets }
    }

    /// With one more tag.
    #[must_use]
    pub fn tagged(mut self, key: &str, value: &str) -> Balancer {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Reachable from within alone.
    #[must_use]
    pub fn internal(mut self) -> Balancer {
        self.scheme = "internal";
        self
    }

    pub(crate) fn arn(&self) -> String {
        let kind = if self.kind == Kind::Network { "net" } else { "app" };
        format!("arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/{kind}/{}/50dc", self.name)
    }
}

/// A target group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The name of the load balancer that sends to it.
    pub balancer: Option<String>,
    /// What it registers.
    pub target: TargetType,
    /// How long it drains, in seconds.
    pub delay: u64,
    pub(crate) targets: Vec<Target>,
}

impl Group {
    /// Behind a load balancer.
    pub fn new(name: &str, balancer: &str, target: TargetType, delay: u64) -> Group {
        Group { name: name.into(), balancer: Some(balancer.into()), target, delay, targets: Vec::new() }
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{}/73e2", self.name)
    }
}

/// A registration.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) port: Option<u16>,
    pub(crate) is_ill: bool,
    since: Instant,
    gone: Option<Instant>,
}

pub(crate) struct Model {
    pub(crate) balancers: Vec<Balancer>,
    pub(crate) groups: Vec<Group>,
    pub(crate) failures: Vec<(String, Failure)>,
    pub(crate) calls: Vec<String>,
    pub(crate) refused: Vec<String>,
    arrival: Duration,
    lag: Duration,
}

impl Model {
    pub(crate) fn new(arrival: Duration, lag: Duration) -> Model {
        let (balancers, groups, failures) = (Vec::new(), Vec::new(), Vec::new());
        Model { balancers, groups, failures, calls: Vec::new(), refused: Vec::new(), arrival, lag }
    }

    pub(crate) fn add(&mut self, balancer: Balancer) {
        self.balancers.retain(|known| known.name != balancer.name);
        self.balancers.push(balancer);
    }

    pub(crate) fn add_group(&mut self, group: Group) {
        self.groups.retain(|known| known.name != group.name);
        self.groups.push(group);
    }

    /// The targets of a classic load balancer or a target group, by its name.
    pub(crate) fn targets(&mut self, place: &str) -> &mut Vec<Target> {
        let group = self.groups.iter_mut().find(|group| group.name == place).map(|it| &mut it.targets);
        let balancer = self.balancers.iter_mut().find(|it| it.name == place).map(|it| &mut it.targets);
        group.or(balancer).unwrap_or_else(|| panic!("there is no {place}"))
    }

    fn drain(&self, place: &str) -> Duration {
        let group = self.groups.iter().find(|group| group.name == place).map(|group| group.delay);
        let balancer = || self.balancers.iter().find(|it| it.name == place).and_then(|it| it.drain);
        Duration::from_secs(group.or_else(balancer).unwrap_or_default())
    }

    pub(crate) fn register(&mut self, place: &str, id: &str, port: Option<u16>) {
        let targets = self.targets(place);
        let is_there = |known: &Target| known.id == id && known.port == port && known.gone.is_none();
        if targets.iter().any(is_there) {
            return;
        }
        targets.retain(|known| known.id != id || known.port != port);
        let id = id.to_owned();
        targets.push(Target { id, port, is_ill: false, since: Instant::now(), gone: None });
    }

    pub(crate) fn deregister(&mut self, place: &str, id: &str) {
        for known in self.targets(place).iter_mut().filter(|known| known.id == id) {
            known.gone.get_or_insert_with(Instant::now);
        }
    }

    pub(crate) fn state(&mut self, place: &str, id: &str) -> &'static str {
        let (drain, arrival) = (self.drain(place), self.arrival);
        let Some(target) = self.targets(place).iter().find(|known| known.id == id) else { return "unused" };
        match target.gone {
            Some(gone) if gone.elapsed() >= drain => "unused",
            Some(_) => "draining",
            None if target.since.elapsed() < arrival => "initial",
            None if target.is_ill => "unhealthy",
            None => "healthy",
        }
    }

    /// The targets that new clients are sent to now.
    pub(crate) fn routed(&mut self, place: &str) -> Vec<String> {
        let (arrival, lag) = (self.arrival, self.lag);
        let is_routed = |target: &&Target| match target.gone {
            Some(gone) => gone.elapsed() < lag,
            None => !target.is_ill && target.since.elapsed() >= arrival,
        };
        let exists =
            self.balancers.iter().any(|it| it.name == place) || self.groups.iter().any(|it| it.name == place);
        if !exists {
            return Vec::new();
        }
        self.targets(place).iter().filter(is_routed).map(|target| target.id.clone()).collect()
    }
}
