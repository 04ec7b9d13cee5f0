//! What ingress-nginx' own end-to-end tests ask of it, asked of us: each behaviour that a client can see, in our own words.
//!
//! Each file of `behaviour/cases` is served by one process, with the ConfigMap (`settings`) and the arguments (`flags`) that it
//! begins with. A case has Ingresses, of which only what matters is written (a host, and where it is not `/` or the Service
//! `echo` a path and a Service; annotations without their prefix), further objects, and requests with what becomes of them. All
//! cases of a file stand in one namespace of its name, in which each Service that is named has an endpoint that answers with what
//! it got; an Ingress that stands later is younger.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::applications::{Request, slices};
use crate::support::{Folder, Gate};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/whole_process/behaviour/cases");

/// Services that are there whether an Ingress names them or not.
const SERVICES: [&str; 3] = ["echo", "auth", "errors"];

/// A file.
struct Cases {
    name: String,
    document: Value,
}

impl Cases {
    fn read(path: &Path) -> Cases {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        let document = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Cases { name, document }
    }

    fn cases(&self) -> impl Iterator<Item = &Value> {
        self.document["cases"].as_array().into_iter().flatten()
    }

    /// All objects of the file.
    fn objects(&self) -> Vec<Value> {
        let namespace = &*self.name;
        let mut objects = vec![json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        })];
        if let Some(settings) = self.document.get("settings") {
            objects.push(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": settings,
                "metadata": {"name": "settings", "namespace": namespace},
            }));
        }
        let mut named: BTreeSet<&str> = SERVICES.into();
        for (at, case) in self.cases().enumerate() {
            for (place, asked) in list(case, "ingresses").enumerate() {
                named.extend(asked["service"].as_str());
                objects.push(ingress(namespace, at, place, asked));
            }
            objects.extend(list(case, "objects").map(|object| in_namespace(object, namespace)));
        }
        let absent: BTreeSet<&str> = list(&self.document, "absent").filter_map(Value::as_str).collect();
        for name in named.difference(&absent) {
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                "spec": {"ports": [{"name": "http", "port": 80}]},
            });
            objects.extend(slices(namespace, &service));
            objects.push(service);
        }
        objects
    }

    /// What differs from what is to be, a line each.
    fn run(&self) -> Vec<String> {
        let objects: String = self.objects().iter().map(|object| format!("---\n{object}\n")).collect();
        let folder = Folder::new(&[("objects.yaml", objects)]);
        let settings = format!("{}/settings", self.name);
        let mut flags = vec!["--class", "nginx"];
        if self.document.get("settings").is_some() {
            flags.extend(["--configmap", &settings]);
        }
        flags.extend(list(&self.document, "flags").filter_map(Value::as_str));
        let gate = Gate::start(&folder, &flags);
        let mut wrong = Vec::new();
        for case in self.cases() {
            for request in list(case, "requests").map(Request::read) {
                let differences = request.send(gate.http).err().into_iter().flatten();
                let of = |one| format!("{}: {}: {}: {one}", self.name, case["says"], request.line);
                wrong.extend(differences.map(of));
            }
        }
        wrong
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[name].as_array().into_iter().flatten()
}

/// The Ingress that is meant, the younger the later it stands.
fn ingress(namespace: &str, case: usize, place: usize, asked: &Value) -> Value {
    let annotations = asked["annotations"].as_object().into_iter().flatten();
    let named =
        |(word, value): (&String, &Value)| (format!("nginx.ingress.kubernetes.io/{word}"), value.clone());
    let annotations: Map<String, Value> = annotations.map(named).collect();
    let backend = |name: &str| json!({"service": {"name": name, "port": {"number": 80}}});
    let paths = match asked.get("paths") {
        Some(paths) => paths.as_array().unwrap().clone(),
        None => vec![asked["path"].as_str().unwrap_or("/").into()],
    };
    let path_type = asked["pathType"].as_str().unwrap_or("Prefix");
    let service = asked["service"].as_str().unwrap_or("echo");
    let paths: Vec<Value> = paths
        .into_iter()
        .map(|path| json!({"path": path, "pathType": path_type, "backend": backend(service)}))
        .collect();
    let mut rule = json!({"http": {"paths": paths}});
    if let Some(host) = asked.get("host") {
        rule["host"] = host.clone();
    }
    let mut spec = json!({"ingressClassName": "nginx", "rules": [rule]});
    if asked["tls"] == true {
        spec["tls"] = json!([{"hosts": [asked["host"]], "secretName": format!("tls-{case}")}]);
    }
    if let Some(written) = asked["spec"].as_object() {
        spec.as_object_mut().unwrap().extend(written.clone());
    }
    let created = format!("2026-01-{:02}T{:02}:00:00Z", 1 + case / 24, case % 24);
    let created = created.replace(":00:00Z", &format!(":{place:02}:00Z"));
    let name = asked["name"].as_str().map_or_else(|| format!("case-{case}-{place}"), str::to_owned);
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec,
        "metadata": {
            "name": name, "namespace": namespace, "creationTimestamp": created, "annotations": annotations,
        },
    })
}

fn in_namespace(object: &Value, namespace: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["namespace"] = namespace.into();
    object
}

#[test]
fn what_ingress_nginx_asks_of_itself_is_so_here() {
    let mut files: Vec<_> = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let all: Vec<Cases> = files.iter().map(|file| Cases::read(file)).collect();
    let wrong: Vec<String> = all.iter().flat_map(Cases::run).collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
