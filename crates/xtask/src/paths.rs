//! What the README files point to is there: a map that leads nowhere is worse than none.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::files;
use crate::shell::root;

/// A path in code marks that begins with one of these is looked for.
const TOP_LEVEL: [&str; 5] = ["benches/", "crates/", "deploy/", "fuzz/", "tests/"];

/// Checks each link and each path of each README file.
///
/// # Errors
/// Names the file and what it points to in vain.
pub(crate) fn check() -> Result<()> {
    let mut pages = vec![root().join("README.md")];
    for folder in TOP_LEVEL {
        pages.extend(
            files::below(&root().join(folder))?.into_iter().filter(|file| file.ends_with("README.md")),
        );
    }
    let mut missing = Vec::new();
    for file in pages {
        let text = fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
        let beside = file.parent().unwrap_or(&file);
        let targets =
            links(&text).map(|link| beside.join(link)).chain(paths(&text).map(|path| root().join(path)));
        missing.extend(targets.filter(|target| !target.exists()).map(|target| (file.clone(), target)));
    }
    ensure!(missing.is_empty(), "these README files point to what is not there: {missing:#?}");
    Ok(())
}

/// The files that `[…](…)` links to; not pages of the web, and without the place in the file.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

/// The paths from the root that stand in code marks, without the item that `::` names in them.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let marked = text.split('`').skip(1).step_by(2);
    let path = marked.map(|code| code.split("::").next().unwrap_or_default());
    path.filter(|path| {
        TOP_LEVEL.iter().any(|folder| path.starts_with(folder)) && !path.contains(['…', '*', '{', ' ', '\n'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_paths_are_found_in_the_text() {
        let text = "see [it](crates/a/README.md#part), [the web](https://example.com), `crates/a/src/b.rs::c`\n\
                    and `tests/proxy`, not `--flag`, `crates/…` or `src/main.rs`";
        assert_eq!(links(text).collect::<Vec<_>>(), ["crates/a/README.md"]);
        assert_eq!(paths(text).collect::<Vec<_>>(), ["crates/a/src/b.rs", "tests/proxy"]);
    }
}
