//! An API server that says what a test tells it to: lists, single objects and watches over plain HTTP.
//!
//! It is honest until [`FakeApi::lie`] gives it other answers for some requests.

mod answer;
mod ask;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use answer::serve;
use ask::Ask;

/// Events are told with versions from here on, so that none is mistaken for "any".
const FIRST_VERSION: u64 = 100;

/// An answer that is not the honest one.
pub(crate) enum Lie {
    Status(u16, String),
    /// As many bytes as these and some more are announced.
    Cut(String),
    /// A watch that tells these lines and ends.
    Watch(String),
    Close,
    /// The truth, after a while.
    Late(Duration),
}

impl Lie {
    /// What an API server says when it refuses.
    pub(crate) fn refusal(code: u16, reason: &str) -> Lie {
        let message = format!("{reason}, says the test");
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code});
        Lie::Status(code, status.to_string())
    }

    /// What an API server says of an object that does not exist.
    pub(crate) fn not_found(ask: &Ask) -> Lie {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": format!("{} {:?} not found", ask.kind, ask.name), "reason": "NotFound",
            "details": {"name": ask.name, "kind": ask.kind}, "code": 404});
        Lie::Status(404, status.to_string())
    }

    /// A list of these objects.
    pub(crate) fn list(objects: &[Value], next: &str) -> Lie {
        let version = FIRST_VERSION.to_string();
        let list = json!({"kind": "List", "apiVersion": "v1", "items": objects,
            "metadata": {"resourceVersion": version, "continue": next}});
        Lie::Status(200, list.to_string())
    }
}

struct Event {
    kind: String,
    name: String,
    told: String,
}

type Liar = Box<dyn FnMut(&Ask) -> Option<Lie> + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<(String, String, String), Value>,
    /// What watches tell.
    events: Vec<Event>,
    /// A watch from before this version gets 410.
    oldest: u64,
    /// Watches of former lives have ended.
    life: u64,
    lie: Option<Liar>,
    asked: Vec<Ask>,
    may_watch_secrets: bool,
    /// Secrets that are asked for now, and at most.
    busy: usize,
    busiest: usize,
}

/// The server; its threads end with the test.
pub(crate) struct FakeApi {
    state: Arc<(Mutex<State>, Condvar)>,
    folder: TempDir,
}

impl FakeApi {
    /// A server with nothing but what each cluster has.
    pub(crate) fn start() -> FakeApi {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, folder) = (listener.local_addr().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig(address)).unwrap();
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        let api = FakeApi { state, folder };
        api.put("namespaces", json!({"metadata": {"name": "kube-system", "uid": "the-first"}}));
        api
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Creates or changes an object, and tells the watches.
    pub(crate) fn put(&self, kind: &str, object: Value) {
        self.change(kind, object, "MODIFIED");
    }

    /// Deletes an object, and tells the watches.
    pub(crate) fn delete(&self, kind: &str, namespace: &str, name: &str) {
        self.change(kind, json!({"metadata": {"name": name, "namespace": namespace}}), "DELETED");
    }

    fn change(&self, kind: &str, mut object: Value, event: &str) {
        let mut state = self.lock();
        let version = FIRST_VERSION + state.events.len() as u64 + 1;
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let named = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let name = named("name");
        let key = (kind.to_owned(), named("namespace"), name.clone());
        match event {
            "DELETED" => drop(state.objects.remove(&key)),
            _ => drop(state.objects.insert(key, object.clone())),
        }
        state.events.push(Event { kind: kind.into(), name, told: told(event, &object) });
        self.state.1.notify_all();
    }

    /// Ends all watches; they can be begun again where they were.
    pub(crate) fn end_watches(&self) {
        self.lock().life += 1;
        self.state.1.notify_all();
    }

    /// Forgets all versions so far and ends all watches: a watch that is begun again gets 410 as an event.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        let version = FIRST_VERSION + state.events.len() as u64 + 1;
        state.events.push(Event { kind: "none".into(), name: String::new(), told: String::new() });
        state.oldest = version;
        drop(state);
        self.end_watches();
    }

    /// From now on this answers, wherever it gives an answer.
    pub(crate) fn lie(&self, lie: impl FnMut(&Ask) -> Option<Lie> + Send + 'static) {
        self.lock().lie = Some(Box::new(lie));
    }

    pub(crate) fn be_honest(&self) {
        self.lock().lie = None;
    }

    /// From now on Secrets may be watched, or not; watches that have begun go on.
    pub(crate) fn let_watch_secrets(&self, may: bool) {
        self.lock().may_watch_secrets = may;
    }

    /// How many Secrets were asked for at a time, at most.
    pub(crate) fn busiest(&self) -> usize {
        self.lock().busiest
    }

    /// All requests so far.
    pub(crate) fn all_asked(&self) -> Vec<Ask> {
        self.lock().asked.clone()
    }

    /// How many requests there were like this.
    pub(crate) fn asked(&self, like: impl Fn(&Ask) -> bool) -> usize {
        self.lock().asked.iter().filter(|ask| like(ask)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }
}

/// A line of a watch. An API server writes the type first, and clients rely on that.
fn told(event: &str, object: &Value) -> String {
    format!("{{\"type\": \"{event}\", \"object\": {object}}}\n")
}

fn kubeconfig(address: SocketAddr) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: fake, contexts: [{{name: fake, context: {{cluster: fake, \
         user: fake}}}}], clusters: [{{name: fake, cluster: {{server: \"http://{address}\"}}}}], users: [{{name: \
         fake, user: {{}}}}]}}"
    )
}
