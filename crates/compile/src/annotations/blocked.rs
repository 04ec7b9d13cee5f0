//! Readers of what is said of clients that are refused by what they say of themselves.

use std::sync::Arc;

use model::{Blocked, FieldMatch, Pattern};

use super::{Annotation, shown, snippet};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most entries of a list: each request is compared with one after the other.
const ENTRIES_MAX: usize = 256;

/// Programs that are refused.
pub(super) fn user_agents(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    blocked(settings).user_agents = entries(annotation)?;
    Ok(())
}

/// Pages whose links are refused.
pub(super) fn referers(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    blocked(settings).referers = entries(annotation)?;
    Ok(())
}

fn blocked(settings: &mut RouteSettings) -> &mut Blocked {
    Arc::make_mut(&mut settings.blocked)
}

/// What stands between commas. One that cannot be read spoils the list: what it was to keep out would be served.
fn entries(Annotation { name, value, .. }: &Annotation<'_>) -> Result<Vec<FieldMatch>, Vec<Fault>> {
    let denied = |what: String, remedy: &str| {
        Vec::from(Fault::denied(format!("{name} {what}, so the whole Ingress is answered 503"), remedy))
    };
    let texts: Vec<&str> = value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if texts.len() > ENTRIES_MAX {
        return Err(denied(format!("has more than {ENTRIES_MAX} entries"), "write one pattern for several"));
    }
    let read = |text: &&str| {
        let remedy = "write values, or patterns as ~PATTERN or ~*PATTERN without look-around and back references, with \
                      commas between them";
        entry(text).map_err(|why| denied(format!("has {}, which {why}", shown(text)), remedy))
    };
    texts.iter().map(read).collect()
}

/// A value of nginx' `map`: a pattern behind a `~`, which ignores case behind `~*`, or all of the value.
fn entry(text: &str) -> Result<FieldMatch, String> {
    let text = snippet::one_word(text)?;
    let pattern = match (text.strip_prefix("~*"), text.strip_prefix('~')) {
        (Some(pattern), _) => format!("(?i){pattern}"),
        (None, Some(pattern)) => pattern.to_owned(),
        (None, None) => return Ok(FieldMatch::Whole(text.into())),
    };
    Pattern::of_value(&pattern).map(FieldMatch::Part).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_nginx_reads_it() {
        for (text, met, other) in [
            ("AlphaBot", "alphabot", "AlphaBot2"),
            (r#""two words""#, "two words", "two"),
            (r"~*chrome\/68\.0\ safari", "x Chrome/68.0 Safari y", "chrome/6800 safari"),
            ("~Bot$", "my Bot", "my bot"),
        ] {
            let entry = entry(text).expect("an entry");
            assert!(entry.matches(met.as_bytes()) && !entry.matches(other.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_list_with_an_entry_that_cannot_be_read_denies() {
        for value in ["a b", "~(a", "~(?=a)", "a;", "\"a", "a {", &"a,".repeat(ENTRIES_MAX + 1)] {
            let annotation = Annotation { name: "block-user-agents", value, namespace: "" };
            assert!(entries(&annotation).expect_err("not read").iter().all(Fault::denies), "{value}");
        }
    }
}
