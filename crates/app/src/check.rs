//! `sluicegate check`: reads a folder of manifests once and lists its problems.

use std::io::{Write, stdout};

use admin::json;
use compile::Compiled;
use controller::Once;
use model::Severity;
use serde_json::json;

use crate::cli::{CheckArgs, Format};
use crate::{FAILED, USAGE, config};

/// Exit codes: 0 no errors, 1 errors (with `--strict` warnings too), 2 the folder cannot be read.
pub(crate) fn run(args: &CheckArgs) -> u8 {
    let settings = config::of_folder(config::settings(&args.classes));
    let compiled = match Once::of_manifests(&args.manifests) {
        Ok(objects) => objects.compile(&settings),
        Err(error) => {
            eprintln!("error: {error}");
            return USAGE;
        }
    };
    let sums = Sums::of(&compiled);
    let shown = match args.format {
        Format::Text => text(&compiled, &sums),
        Format::Json => as_json(&compiled, &sums),
    };
    // A reader that closes the pipe early has read enough.
    let _ = stdout().write_all(shown.as_bytes());
    if sums.errors > 0 || (args.strict && sums.warnings > 0) { FAILED } else { 0 }
}

struct Sums {
    routes: usize,
    backends: usize,
    errors: usize,
    warnings: usize,
}

impl Sums {
    fn of(compiled: &Compiled) -> Sums {
        let count =
            |severity| compiled.problems.iter().filter(|problem| problem.severity == severity).count();
        Sums {
            routes: compiled.table.routes().len(),
            backends: compiled.table.backends().len(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
        }
    }
}

/// One problem a line, then why there are no routes, the sums last.
fn text(compiled: &Compiled, sums: &Sums) -> String {
    let lines: String = compiled.problems.iter().map(|problem| format!("{problem}\n")).collect();
    let no_routes = compiled.no_routes.as_ref().map(|why| format!("{why}\n")).unwrap_or_default();
    let Sums { routes, backends, errors, warnings } = sums;
    format!(
        "{lines}{no_routes}routes: {routes}, backends: {backends}, errors: {errors}, warnings: {warnings}\n"
    )
}

fn as_json(compiled: &Compiled, sums: &Sums) -> String {
    let shown = json!({
        "problems": json::problems(&*compiled.problems),
        "no_routes": compiled.no_routes.as_ref().map(|why| &*why.text),
        "routes": sums.routes,
        "backends": sums.backends,
        "errors": sums.errors,
        "warnings": sums.warnings,
    });
    format!("{shown:#}\n")
}
