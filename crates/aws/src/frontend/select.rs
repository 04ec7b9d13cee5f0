//! Which load balancers are ours.

/// A tag and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// What it has to be.
    pub value: String,
}

/// What makes a load balancer ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// It is one of those that have all of these tags; none are, if there are no tags.
    pub tags: Vec<Tag>,
    /// Or it has one of these names or ARNs.
    pub names: Vec<String>,
    /// Or it is one of these target groups, by name or ARN.
    pub groups: Vec<String>,
}

impl Selector {
    /// Whether nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.names.is_empty() && self.groups.is_empty()
    }

    /// Whether a load balancer is named.
    pub(super) fn is_named(&self, name: &str, arn: Option<&str>) -> bool {
        self.names.iter().any(|asked| asked == name || Some(asked.as_str()) == arn)
    }

    /// Whether a load balancer has the tags.
    pub(super) fn is_tagged(&self, tags: &[(String, String)]) -> bool {
        let has = |asked: &Tag| tags.iter().any(|(key, value)| *key == asked.key && *value == asked.value);
        !self.tags.is_empty() && self.tags.iter().all(has)
    }

    /// What is asked for, in words.
    pub(super) fn words(&self) -> String {
        let tags = self.tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect::<Vec<_>>();
        let tags = (!tags.is_empty()).then(|| format!("tags {}", tags.join(" and ")));
        let names = (!self.names.is_empty()).then(|| format!("names {}", self.names.join(", ")));
        let groups = (!self.groups.is_empty()).then(|| format!("target groups {}", self.groups.join(", ")));
        tags.into_iter().chain(names).chain(groups).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: value.into() }
    }

    #[test]
    fn a_load_balancer_has_to_have_all_tags_that_are_asked_for() {
        let selector =
            Selector { tags: vec![tag("frontend", "a"), tag("class", "b")], ..Selector::default() };
        let has = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            selector.is_tagged(&tags)
        };
        assert!(has(&[("class", "b"), ("other", "x"), ("frontend", "a")]));
        assert!(!has(&[("frontend", "a")]));
        assert!(!has(&[("frontend", "a"), ("class", "c")]));
        assert!(!has(&[]));
    }

    #[test]
    fn without_tags_to_ask_for_no_load_balancer_has_them() {
        assert!(!Selector::default().is_tagged(&[]));
        let named = Selector { names: vec!["web".into(), "arn:x".into()], ..Selector::default() };
        assert!(named.is_named("web", None) && named.is_named("other", Some("arn:x")));
        assert!(!named.is_named("other", Some("arn:y")) && !named.is_tagged(&[]));
    }
}
