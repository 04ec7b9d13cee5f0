//! Where a route leads: to one backend, or to one of several by what a request is like and by chance.

use crate::{Facts, RequestCondition};

/// What a route leads to. Backends are named by their places in [`RouteTable::backends`](crate::RouteTable::backends).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One backend.
    Backend(u32),
    /// One of several.
    Split(Box<Split>),
    /// None: what its policy does not answer is answered 404.
    Nothing,
}

impl Target {
    /// The backend that a request goes to, if any. `random` is asked only where chance decides, and gives an even random
    /// number below the one it is given.
    pub fn choose(&self, facts: &impl Facts, random: impl FnOnce(u64) -> u64) -> Option<u32> {
        match self {
            Target::Backend(backend) => Some(*backend),
            Target::Split(split) => Some(split.choose(facts, random)),
            Target::Nothing => None,
        }
    }

    /// The backend that it leads to, or that all others of a split are variants of.
    pub fn primary(&self) -> Option<u32> {
        match self {
            Target::Backend(backend) => Some(*backend),
            Target::Split(split) => split.primary.map(|primary| primary.backend),
            Target::Nothing => None,
        }
    }

    /// The variants of the primary backend, one of which may be named more than once.
    pub fn variants(&self) -> impl Iterator<Item = u32> {
        let primary = self.primary();
        self.backends().filter(move |backend| primary.is_some_and(|primary| primary != *backend))
    }

    /// All backends that requests may go to, those of a split's rules first. One may be named more than once.
    pub fn backends(&self) -> impl Iterator<Item = u32> {
        let (one, split) = match self {
            Target::Backend(backend) => (Some(*backend), None),
            Target::Split(split) => (None, Some(split)),
            Target::Nothing => (None, None),
        };
        let rules = split.into_iter().flat_map(|split| split.rules()).map(|rule| rule.backend);
        let shares = split.into_iter().flat_map(|split| split.shares()).map(|share| share.backend);
        one.into_iter().chain(rules).chain(shares)
    }
}

/// A target of several backends: the first rule that holds of a request decides, else chance by weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    rules: Box<[SplitRule]>,
    shares: Box<[Share]>,
    /// The sum of the weights, which is not zero.
    total: u64,
    primary: Option<Primary>,
}

/// The backend that the others of a split are variants of. It serves the requests of those that have no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Its place.
    pub backend: u32,
    /// Whether the others keep their clients, too, where [affinity](crate::Affinity) keeps those of the primary one.
    pub others_stick: bool,
}

/// Requests of which the condition holds go to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRule {
    /// What must hold.
    pub condition: RequestCondition,
    /// The backend's place.
    pub backend: u32,
}

/// The part of the requests that no rule takes that goes to a backend: its weight in relation to the sum of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The backend's place.
    pub backend: u32,
    /// How many of the sum of all weights; none at all if 0.
    pub weight: u32,
}

impl Split {
    /// Rules in the order in which they are asked, and shares in any; a canary of 5 of 100 is a share of 5 beside one of
    /// 95. None if all weights are 0: the requests that no rule takes would go nowhere.
    pub fn new(rules: Vec<SplitRule>, shares: Vec<Share>) -> Option<Split> {
        let total = shares.iter().map(|share| u64::from(share.weight)).sum();
        (total > 0).then(|| Split { rules: rules.into(), shares: shares.into(), total, primary: None })
    }

    /// The same, where all backends but one are variants of that.
    #[must_use]
    pub fn of_variants(self, primary: Primary) -> Split {
        Split { primary: Some(primary), ..self }
    }

    /// The backend that the others are variants of.
    pub fn primary(&self) -> Option<Primary> {
        self.primary
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> &[SplitRule] {
        &self.rules
    }

    /// How the requests that no rule takes are shared.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// The sum of all weights.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The rule that decides on a request; without one chance does.
    pub fn rule_of(&self, facts: &impl Facts) -> Option<&SplitRule> {
        self.rules.iter().find(|rule| rule.condition.holds(facts))
    }

    fn choose(&self, facts: &impl Facts, random: impl FnOnce(u64) -> u64) -> u32 {
        self.rule_of(facts).map_or_else(|| self.share_of(random(self.total)), |rule| rule.backend)
    }

    /// The backend in whose share this number below the total lies.
    fn share_of(&self, number: u64) -> u32 {
        let mut end = 0;
        let share = self.shares.iter().find(|share| {
            end += u64::from(share.weight);
            number < end
        });
        // A number beyond the total would be the caller's mistake; the request is served all the same.
        share.or_else(|| self.shares.iter().find(|share| share.weight > 0)).map_or(0, |share| share.backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Get, RequestPath, ValueMatch};

    fn share(backend: u32, weight: u32) -> Share {
        Share { backend, weight }
    }

    #[test]
    fn each_share_gets_as_many_numbers_as_its_weight() {
        let split = Split::new(Vec::new(), vec![share(0, 3), share(1, 0), share(2, 2)]).expect("a split");
        let chosen: Vec<u32> = (0..split.total()).map(|number| split.share_of(number)).collect();
        assert_eq!(chosen, [0, 0, 0, 2, 2]);
    }

    #[test]
    fn weights_as_large_as_they_come_do_not_overflow() {
        let split = Split::new(Vec::new(), vec![share(0, u32::MAX), share(1, u32::MAX)]).expect("a split");
        let last = split.total() - 1;
        assert_eq!((split.share_of(0), split.share_of(last)), (0, 1));
    }

    #[test]
    fn a_split_that_would_lead_nowhere_is_none() {
        assert_eq!(Split::new(Vec::new(), vec![share(0, 0)]), None);
        assert_eq!(Split::new(Vec::new(), Vec::new()), None);
    }

    #[test]
    fn the_variants_of_a_backend_are_all_others_of_its_split() {
        let rule = SplitRule { condition: RequestCondition::Method("PUT".into()), backend: 1 };
        let split = Split::new(vec![rule], vec![share(0, 3), share(1, 2)]).expect("a split");
        assert_eq!(Target::Split(Box::new(split.clone())).variants().next(), None);
        let target = Target::Split(Box::new(split.of_variants(Primary { backend: 0, others_stick: true })));
        assert_eq!((target.primary(), target.variants().next()), (Some(0), Some(1)));
    }

    #[test]
    fn the_first_rule_that_holds_decides_and_chance_is_not_asked() {
        let rule =
            |method: &str, backend| SplitRule { condition: RequestCondition::Method(method.into()), backend };
        let absent = SplitRule {
            condition: RequestCondition::Header { name: "x-a".into(), value: ValueMatch::Exact("".into()) },
            backend: 9,
        };
        let rules = vec![rule("PUT", 1), absent, rule("GET", 2), rule("GET", 3)];
        let split = Split::new(rules, vec![share(4, 1)]).expect("a split");
        let path = RequestPath::parse("/").expect("a path");
        let target = Target::Split(Box::new(split));
        let chosen = target.choose(&Get { host: None, path: &path }, |_| panic!("chance was asked"));
        assert_eq!(chosen, Some(2));
        assert_eq!(target.backends().collect::<Vec<_>>(), [1, 9, 2, 3, 4]);
    }
}
