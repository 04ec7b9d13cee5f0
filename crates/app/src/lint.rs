//! `sluicegate lint`: what becomes of Ingresses that were written for ingress-nginx.
//!
//! Judges nothing by itself: what is wrong is what `compile` says, and what an annotation does is what the table says by which
//! `compile` reads it.

mod show;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};

use compile::{Compiled, Effect, ObjectKey, Objects, Settings, reasons};
use model::{Problem, Severity};

use crate::cli::{Format, LintArgs, ReportArgs};
use crate::source::Read;
use crate::{FAILED, USAGE, config};

/// Where ingress-nginx' Helm chart serves: the class and the controller of most of its Ingresses.
const CLASS: &str = "nginx";
const CONTROLLER: &str = "k8s.io/ingress-nginx";

/// Exit codes: 0 nothing is refused, 1 something is (with `--strict` also if something differs), 2 the objects cannot be read.
pub(crate) fn run(args: LintArgs) -> u8 {
    let LintArgs { file, mut source, strict, quiet, report: ReportArgs { format, classes } } = args;
    source.manifests = file.or(source.manifests);
    let settings = of_ingress_nginx(config::settings(&classes));
    let Read { objects, settings } = match Read::new(&source, settings) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("error: {error}");
            return USAGE;
        }
    };
    let (settings, taken) = with_config_map(settings, objects.objects());
    let mut report = Report::of(objects.objects(), &objects.compile(&settings), &settings);
    report.notes.extend(taken);
    let shown = match format {
        Format::Text => show::text(&report, quiet),
        Format::Json => show::json(&report),
    };
    // A reader that closes the pipe early has read enough.
    let _ = stdout().write_all(shown.as_bytes());
    let worst = report.worst();
    if worst == Outcome::Refused || strict && worst == Outcome::Differs { FAILED } else { 0 }
}

/// Where nothing else is said the Ingresses of ingress-nginx are meant.
fn of_ingress_nginx(settings: Settings) -> Settings {
    let is_default = settings.controller_name == Settings::default().controller_name;
    if settings.class_is_given || !is_default {
        return settings;
    }
    Settings { class: CLASS.into(), class_is_given: true, controller_name: CONTROLLER.into(), ..settings }
}

/// The names that ConfigMaps of ingress-nginx have: its Helm chart's, and that of its manifests.
const CONFIG_MAPS: [&str; 2] = ["ingress-nginx-controller", "nginx-configuration"];

/// Where no ConfigMap is named the only one with a usual name is meant. That is told.
fn with_config_map(settings: Settings, objects: &Objects) -> (Settings, Option<String>) {
    let usual = |key: &&ObjectKey| CONFIG_MAPS.iter().any(|name| key.name.ends_with(name));
    let found: Vec<&ObjectKey> = objects.config_maps.keys().filter(usual).collect();
    match &*found {
        [key] if settings.config_map.is_none() => {
            let told =
                format!("ConfigMap {key} is taken for that of ingress-nginx; name another with --configmap");
            (Settings { config_map: Some((*key).clone()), ..settings }, Some(told))
        }
        _ => (settings, None),
    }
}

/// What becomes of a part of an Ingress, or of all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It is as with ingress-nginx.
    #[default]
    Same,
    /// It is served, and not in all as with ingress-nginx.
    Differs,
    /// It is not served.
    Refused,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Same => "same",
            Outcome::Differs => "differs",
            Outcome::Refused => "refused",
        }
    }

    /// What a problem means for the part of the Ingress that it is about.
    fn of(problem: &Problem) -> Outcome {
        match (problem.severity, problem.reason) {
            // ingress-nginx passes over it, too.
            (Severity::Warning, reasons::UNKNOWN_ANNOTATION | reasons::NO_EFFECT) => Outcome::Same,
            // A value that cannot be read costs only itself.
            (Severity::Warning, _) | (_, reasons::INVALID_ANNOTATION | reasons::INVALID_SETTING) => {
                Outcome::Differs
            }
            (Severity::Error, _) => Outcome::Refused,
        }
    }
}

/// What becomes of an annotation or another field.
#[derive(Debug)]
struct Finding {
    /// The name of the annotation, or the path of the field.
    field: String,
    outcome: Outcome,
    /// What there is to say of it, if anything.
    message: String,
    remedy: String,
    reason: Option<&'static str>,
}

/// An Ingress that is ours, or the ConfigMap.
#[derive(Debug)]
struct Verdict {
    key: ObjectKey,
    file: Option<String>,
    findings: Vec<Finding>,
}

impl Finding {
    fn same(field: &str, message: &str) -> Finding {
        let (field, message, remedy) = (field.to_owned(), message.to_owned(), String::new());
        Finding { field, outcome: Outcome::Same, message, remedy, reason: None }
    }

    /// Whether its author is to look at it.
    fn is_told(&self) -> bool {
        self.reason.is_some()
    }
}

impl Verdict {
    fn new(key: ObjectKey, mut findings: Vec<Finding>, problems: &[&Problem]) -> Verdict {
        findings.sort_by(|one, other| one.field.cmp(&other.field));
        let file = problems.iter().find_map(|problem| problem.object.file.clone());
        Verdict { key, file, findings }
    }

    fn outcome(&self) -> Outcome {
        self.findings.iter().map(|finding| finding.outcome).max().unwrap_or_default()
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// All that there is to say.
#[derive(Debug)]
struct Report {
    ingresses: Vec<Verdict>,
    config_map: Option<Verdict>,
    /// The Ingresses of other classes, of which nothing is said.
    foreign: usize,
    /// What is wrong with other objects.
    others: Vec<Problem>,
    /// What could not be judged, because the objects are not all there.
    notes: Vec<String>,
}

impl Report {
    fn of(objects: &Objects, compiled: &Compiled, settings: &Settings) -> Report {
        let mut of_ingresses = BTreeMap::<ObjectKey, Vec<&Problem>>::new();
        let (mut of_config_map, mut others, mut unknown) = (Vec::new(), Vec::new(), Unknown::of(objects));
        for problem in compiled.problems.iter().filter(|problem| !unknown.passes_over(problem)) {
            let key = ObjectKey::new(&*problem.object.namespace, &*problem.object.name);
            match &*problem.object.kind {
                "Ingress" if objects.ingresses.contains_key(&key) => {
                    of_ingresses.entry(key).or_default().push(problem);
                }
                "ConfigMap" if settings.config_map.as_ref() == Some(&key) => of_config_map.push(problem),
                _ => others.push(problem.clone()),
            }
        }
        // One that no controller serves is none of ours, and has a problem that says so.
        let named = compiled.ours.iter().chain(of_ingresses.keys()).cloned();
        let keys: BTreeSet<ObjectKey> = named.collect();
        let verdicts = keys.into_iter().filter_map(|key| {
            let ingress = objects.ingresses.get(&key)?;
            let problems = of_ingresses.remove(&key).unwrap_or_default();
            Some(verdict(key, ingress.metadata.annotations.as_ref(), &problems))
        });
        let ingresses: Vec<Verdict> = verdicts.collect();
        let foreign = objects.ingresses.len() - ingresses.len();
        let config_map = settings.config_map.clone().map(|key| of_settings(key, objects, &of_config_map));
        Report { ingresses, config_map, foreign, others, notes: unknown.notes() }
    }

    fn worst(&self) -> Outcome {
        self.ingresses.iter().chain(&self.config_map).map(Verdict::outcome).max().unwrap_or_default()
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.ingresses.iter().filter(|verdict| verdict.outcome() == outcome).count()
    }
}

fn verdict(key: ObjectKey, annotations: Option<&BTreeMap<String, String>>, problems: &[&Problem]) -> Verdict {
    let mut findings: Vec<Finding> = problems.iter().map(|problem| found(problem)).collect();
    for name in annotations.into_iter().flat_map(|all| all.keys()) {
        let message = match compile::effect_of(name) {
            _ if findings.iter().any(|finding| finding.field == *name) => continue,
            Effect::Foreign => continue,
            Effect::Needless(why) => why,
            Effect::Honoured | Effect::NotHonoured => "",
        };
        findings.push(Finding::same(name, message));
    }
    Verdict::new(key, findings, problems)
}

/// What becomes of the keys of the ConfigMap.
fn of_settings(key: ObjectKey, objects: &Objects, problems: &[&Problem]) -> Verdict {
    let mut findings: Vec<Finding> = problems.iter().map(|problem| found(problem)).collect();
    let data = objects.config_maps.get(&key).and_then(|config_map| config_map.data.as_ref());
    for name in data.into_iter().flat_map(|data| data.keys()) {
        if findings.iter().all(|finding| finding.field != *name) {
            findings.push(Finding::same(name, ""));
        }
    }
    Verdict::new(key, findings, problems)
}

fn found(problem: &Problem) -> Finding {
    let inner = |before| problem.field.strip_prefix(before).and_then(|name| name.strip_suffix(']'));
    let annotation = inner("metadata.annotations[").or_else(|| inner("data["));
    let field = annotation.unwrap_or(&problem.field).to_owned();
    // The name of an annotation stands before it already.
    let message = annotation.and_then(|name| problem.message.strip_prefix(name)).unwrap_or(&problem.message);
    let message = message.trim_start_matches([' ', ':']).to_owned();
    let (outcome, remedy) = (Outcome::of(problem), problem.remedy.clone());
    Finding { field, outcome, message, remedy, reason: Some(problem.reason) }
}

/// Kinds of which there is no object at all: whether one that is named exists cannot be said.
struct Unknown {
    classes: bool,
    services: bool,
    secrets: bool,
    passed_over: usize,
}

impl Unknown {
    fn of(objects: &Objects) -> Unknown {
        let secrets = objects.secrets.is_empty() && objects.absent_secrets.is_none();
        let (classes, services) = (objects.ingress_classes.is_empty(), objects.services.is_empty());
        Unknown { classes, services, secrets, passed_over: 0 }
    }

    /// Whether a problem is only that such an object is not there.
    fn passes_over(&mut self, problem: &Problem) -> bool {
        if problem.reason != reasons::DANGLING_REFERENCE || problem.object.kind != "Ingress" {
            return false;
        }
        // An Ingress of a class that does not exist is most likely of another controller's.
        if problem.field == "spec.ingressClassName" {
            return self.classes;
        }
        let passes = if problem.message.contains("Secret") { self.secrets } else { self.services };
        self.passed_over += usize::from(passes);
        passes
    }

    fn notes(&self) -> Vec<String> {
        if self.passed_over == 0 {
            return Vec::new();
        }
        let kinds = [(self.services, "Services"), (self.secrets, "Secrets")];
        let kinds: Vec<&str> =
            kinds.into_iter().filter(|(absent, _)| *absent).map(|(_, kind)| kind).collect();
        vec![format!(
            "there are no {} among the objects, so it is not said which are missing",
            kinds.join(" and no ")
        )]
    }
}
