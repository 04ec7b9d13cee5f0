//! The arrows between the modules of `proxy`: its `lib.rs` lists them, lowest first, and a module may use those before it.
//!
//! Modules are those of the crate's root; what stands in a folder belongs to the module of that name. What a test module uses
//! counts, too. Only paths are looked at: `crate::…`, and `super::…` where it leaves its module.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::files;
use crate::shell::root;

/// The crate whose modules have an order.
const CRATE: &str = "crates/proxy/src";
/// How a line of the list begins.
const ENTRY: &str = "//! - `";

/// Checks that the list has each module, and that each arrow points to one that stands before.
///
/// # Errors
/// Names the module that is missing, or the file and the line from which an arrow points upward.
pub(crate) fn check() -> Result<()> {
    let source = root().join(CRATE);
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()));
    let lib = read(&source.join("lib.rs"))?;
    let order = order(&lib)?;
    let is_source = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    for file in files::below(&source)?.into_iter().filter(is_source) {
        let path = file.strip_prefix(&source)?;
        judge(path, &read(&file)?, &order)?;
    }
    Ok(())
}

/// The modules, lowest first.
fn order(lib: &str) -> Result<Vec<&str>> {
    let order: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix(ENTRY)?.split('`').next()).collect();
    let declared: Vec<&str> = lib.lines().filter_map(declaration).collect();
    for module in &declared {
        ensure!(
            order.contains(module),
            "{CRATE}/lib.rs does not say where module {module} stands in the order"
        );
    }
    for module in &order {
        ensure!(declared.contains(module), "{CRATE}/lib.rs lists {module}, which is no module");
    }
    Ok(order)
}

fn declaration(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// Judges the arrows of one file of the crate. Its root may use all modules.
fn judge(path: &Path, source: &str, order: &[&str]) -> Result<()> {
    let module = path.with_extension("");
    let depth = module.components().count();
    let module = module.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
    if module == "lib" {
        return Ok(());
    }
    let rank = |module: &str| order.iter().position(|listed| *listed == module);
    let own = rank(module).with_context(|| format!("{} belongs to no module", path.display()))?;
    let mut in_tests = 0;
    for (number, line) in (1..).zip(source.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        in_tests |= usize::from(code.starts_with("mod ") && code.ends_with('{'));
        let place = || format!("{CRATE}/{}:{number}", path.display());
        if code.contains("crate::{") {
            bail!("{}: one line for each module that is used, so that its arrow can be seen", place());
        }
        for used in names(code, depth + in_tests) {
            ensure!(
                rank(used).is_none_or(|rank| rank <= own),
                "{}: module {module} may not use {used}, which stands above it ({CRATE}/lib.rs)",
                place()
            );
        }
    }
    Ok(())
}

/// What follows the crate's root in a line's paths.
fn names(code: &str, depth: usize) -> impl Iterator<Item = &str> {
    let from_root = code.split("crate::").skip(1);
    let out = "super::".repeat(depth);
    let outward: Vec<&str> = code.split(&out).skip(1).collect();
    from_root.chain(outward).map(|rest| {
        let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! - `timer`: ticks\n//! - `client`: a client\nmod client;\npub mod timer;\n";

    fn judged(path: &str, source: &str) -> String {
        let order = order(LIB).unwrap();
        judge(Path::new(path), source, &order).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn an_arrow_upward_is_named_with_file_and_line() {
        let upward = "crates/proxy/src/timer.rs:2: module timer may not use client, which stands above it \
                      (crates/proxy/src/lib.rs)";
        assert_eq!(judged("timer.rs", "use std::io;\nuse crate::client::Client;\n"), upward);
        assert_eq!(judged("timer.rs", "\nfn wait(client: &crate::client::Client) {}\n"), upward);
        assert_eq!(judged("timer.rs", "\nuse super::client::Client;\n"), upward);
        assert!(
            judged("timer/slot.rs", "use super::super::client::Client;\n")
                .contains("slot.rs:1: module timer")
        );
        assert!(judged("timer.rs", "use crate::{client, timer};\n").contains("one line for each module"));
    }

    #[test]
    fn an_arrow_downward_or_within_a_module_is_fine() {
        assert_eq!(
            judged("client/fault.rs", "use crate::timer::Wait;\nuse crate::client::Client;\n"),
            "fine"
        );
        assert_eq!(judged("timer/slot.rs", "use super::Timer;\n"), "fine");
        assert_eq!(judged("timer.rs", "mod tests {\n    use super::client;\n}\n"), "fine");
        assert_eq!(judged("timer.rs", "//! See [`crate::client`].\n"), "fine");
        assert_eq!(judged("lib.rs", "use crate::client::Client;\n"), "fine");
    }

    #[test]
    fn the_modules_of_the_proxy_have_the_order_that_it_says() {
        check().unwrap();
    }

    #[test]
    fn each_module_has_a_place_in_the_order() {
        assert!(order("mod timer;\n").unwrap_err().to_string().contains("module timer"));
        assert!(order("//! - `timer`: ticks\n").unwrap_err().to_string().contains("is no module"));
        assert_eq!(order(LIB).unwrap(), ["timer", "client"]);
    }
}
