//! Labels as an operator asks for them, read here too: a label that was taken away while no watch was open is no
//! deletion, so the object itself has to be looked at.

use kube::core::Expression;
#[cfg(test)]
use kube::core::{Selector, SelectorExt};

/// Checks that labels can be read, as they are typed.
///
/// # Errors
/// Says what can be.
pub fn labels(raw: &str) -> Result<String, String> {
    let some = parse(raw).is_some_and(|expressions| !expressions.is_empty());
    some.then(|| raw.to_owned())
        .ok_or_else(|| format!("{raw:?} asks for no labels; write them as team=shop,stage!=test"))
}

/// Reads `team=shop,stage!=test,tier in (a,b),!internal`; `None` if it makes no sense.
pub(super) fn parse(labels: &str) -> Option<Vec<Expression>> {
    split(labels).into_iter().map(str::trim).filter(|part| !part.is_empty()).map(expression).collect()
}

/// At the commas that stand in no parentheses.
fn split(labels: &str) -> Vec<&str> {
    let mut depth = 0;
    let split = labels.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    });
    split.collect()
}

fn expression(part: &str) -> Option<Expression> {
    if let Some((key, values)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, verb) = key.trim().rsplit_once(char::is_whitespace)?;
        let key = word(key)?;
        return match verb {
            "in" => Some(Expression::In(key, values)),
            "notin" => Some(Expression::NotIn(key, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Expression::NotEqual(word(key)?, value.trim().into()));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Expression::Equal(word(key)?, value.trim().into()));
    }
    match part.strip_prefix('!') {
        Some(key) => Some(Expression::DoesNotExist(word(key)?)),
        None => Some(Expression::Exists(word(part)?)),
    }
}

fn word(key: &str) -> Option<String> {
    let key = key.trim();
    (!key.is_empty() && !key.contains(char::is_whitespace)).then(|| key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(labels: &str, of: &[(&str, &str)]) -> bool {
        let mut selector = Selector::default();
        selector.extend(parse(labels).unwrap_or_else(|| panic!("{labels}")));
        selector.matches(&of.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
    }

    #[test]
    fn labels_select_as_the_api_server_does() {
        let shop = [("team", "shop"), ("stage", "live")];
        for labels in
            ["", "team=shop", "team==shop", "team = shop,stage!=test", "team in (cart, shop)", "team"]
        {
            assert!(selects(labels, &shop), "{labels}");
        }
        for labels in ["team=cart", "!team", "team notin (a,shop),stage", "team=shop,stage=test", "internal"]
        {
            assert!(!selects(labels, &shop), "{labels}");
        }
        assert!(selects("internal notin (yes),!internal,internal!=yes", &shop));
    }

    #[test]
    fn what_makes_no_sense_selects_nothing_by_guess() {
        for labels in ["=shop", "team among (a)", "two words", "!"] {
            assert!(parse(labels).is_none(), "{labels}");
        }
    }

    #[test]
    fn labels_that_ask_for_nothing_or_make_no_sense_are_refused() {
        for raw in ["", " ", ",", "=x", "team in a", "a b"] {
            assert!(super::labels(raw).is_err(), "{raw:?}");
        }
        assert!(super::labels("team=shop,tier in (a,b)").is_ok());
    }
}
