//! The arguments of ingress-nginx' controller, so that a Deployment's can be pasted: each becomes a flag of ours, or is told to
//! have no effect. One that guards something and cannot be honoured is left as it is, which clap refuses.

mod rows;

use std::ffi::OsString;
use std::path::Path;

use rows::{As, ROWS};

/// The program whose name stands before a Deployment's arguments, behind `run` or in its place.
const PROGRAM: &str = "nginx-ingress-controller";

/// What its controller does when nothing is said.
const DEFAULTS: [(&str, &str); 5] = [
    ("controller-name", "k8s.io/ingress-nginx"),
    ("class", "nginx"),
    ("profile", "ingress-nginx"),
    ("https", "0.0.0.0:443"),
    ("health", "0.0.0.0:10254"),
];

/// Arguments of ours, and what became of those that were not.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) args: Vec<OsString>,
    pub(super) told: Vec<String>,
}

/// Reads the arguments of `run`, the program's name first; those of other commands stay as they are.
pub(super) fn translate(args: impl IntoIterator<Item = OsString>) -> Translated {
    let mut args = args.into_iter().peekable();
    let mut out = Translated::default();
    out.args.extend(args.next());
    let Some(command) = args.next() else { return out };
    let is_program = |arg: &OsString| Path::new(arg).file_name().is_some_and(|name| name == PROGRAM);
    let is_pasted = is_program(&command) || command == "run" && args.next_if(is_program).is_some();
    if !is_pasted && command != "run" {
        out.args.push(command);
        out.args.extend(args);
        return out;
    }
    out.args.push("run".into());
    let mut host = None;
    while let Some(arg) = args.next() {
        let Some((name, value)) = arg.to_str().and_then(parse) else {
            out.args.push(arg);
            continue;
        };
        let Some((_, becomes)) = ROWS.iter().find(|(theirs, _)| *theirs == name) else {
            out.args.push(arg);
            continue;
        };
        let mut value = value.map(str::to_owned);
        if value.is_none() && becomes.takes_value() {
            value = args
                .next_if(|next| !next.to_string_lossy().starts_with("--"))
                .and_then(|it| it.into_string().ok());
        }
        out.take(name, value.unwrap_or_default(), becomes, &mut host);
    }
    if is_pasted {
        out.add_defaults();
    }
    if let Some(host) = host {
        out.bind_health_to(&host);
    }
    out
}

/// The name of a flag, in one dash or two, and its value if it stands behind an equals sign.
fn parse(arg: &str) -> Option<(&str, Option<&str>)> {
    let flag = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    Some(flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value))))
}

impl Translated {
    /// Takes one that is known.
    fn take(&mut self, name: &str, value: String, becomes: &As, host: &mut Option<String>) {
        let is_true = is_true(&value);
        let flag = match becomes {
            As::Value(ours) if !value.is_empty() => Some((*ours, value.clone())),
            As::Port(ours) => Some((*ours, format!("0.0.0.0:{value}"))),
            As::Seconds(ours) => Some((*ours, format!("{value}s"))),
            As::Switch(ours) if is_true => Some((*ours, String::new())),
            As::Opposite(ours) if !is_true => Some((*ours, String::new())),
            As::HealthHost => {
                *host = Some(value.clone()).filter(|host| !host.is_empty());
                None
            }
            As::Switch(_) | As::Opposite(_) | As::Value(_) => None,
            As::Nothing(why) | As::NothingFor(why) => {
                self.told.push(format!("--{name} has no effect here: {why}"));
                None
            }
            As::Told(why) => {
                if is_true {
                    self.told.push(format!("--{name} has no effect here: {why}"));
                }
                None
            }
        };
        let Some((ours, ours_value)) = flag else { return };
        let ours = if ours_value.is_empty() { format!("--{ours}") } else { format!("--{ours}={ours_value}") };
        let theirs = if value.is_empty() { format!("--{name}") } else { format!("--{name}={value}") };
        if ours != theirs {
            self.told.push(format!("{theirs} is read as {ours}"));
        }
        self.args.push(ours.into());
    }

    /// Adds what holds there where nothing is said.
    fn add_defaults(&mut self) {
        for (name, value) in DEFAULTS {
            if !self.args.iter().any(|arg| is_flag(arg, name)) {
                self.args.push(format!("--{name}={value}").into());
                self.told.push(format!("--{name}={value} is added, as by default in ingress-nginx"));
            }
        }
    }

    fn bind_health_to(&mut self, host: &str) {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        for arg in &mut self.args {
            if let Some(port) = arg.to_str().and_then(|arg| arg.strip_prefix("--health=0.0.0.0:")) {
                *arg = format!("--health={host}:{port}").into();
            }
        }
    }
}

fn is_flag(arg: &OsString, name: &str) -> bool {
    arg.to_str().and_then(parse).is_some_and(|(flag, _)| flag == name)
}

/// As Go reads it; a switch without a value is on.
fn is_true(value: &str) -> bool {
    matches!(value, "" | "1" | "t" | "T" | "true" | "TRUE" | "True")
}

#[cfg(test)]
mod tests;
