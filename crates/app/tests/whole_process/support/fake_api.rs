//! An API server that says what a test tells it to: lists, single objects and watches over plain HTTP.
//!
//! It is honest until [`FakeApi::lie`] gives it other answers for some requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;

/// Events are told with versions from here on, so that none is mistaken for "any".
const FIRST_VERSION: u64 = 100;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// `ingresses`, `services`, `endpointslices`, `ingressclasses`, `namespaces`…
    pub(crate) kind: String,
    pub(crate) namespace: String,
    /// Empty in a list or a watch.
    pub(crate) name: String,
    pub(crate) is_watch: bool,
    query: String,
}

impl Ask {
    pub(crate) fn is_list_of(&self, kind: &str) -> bool {
        self.kind == kind && self.name.is_empty() && !self.is_watch
    }

    pub(crate) fn is_watch_of(&self, kind: &str) -> bool {
        self.kind == kind && self.is_watch
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

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

type Liar = Box<dyn FnMut(&Ask) -> Option<Lie> + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<(String, String, String), Value>,
    /// What watches tell: version, kind, event.
    events: Vec<(u64, String, String)>,
    /// A watch from before this version gets 410.
    oldest: u64,
    /// Watches of former lives have ended.
    life: u64,
    lie: Option<Liar>,
    asked: Vec<Ask>,
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
        let key = (kind.to_owned(), named("namespace"), named("name"));
        match event {
            "DELETED" => drop(state.objects.remove(&key)),
            _ => drop(state.objects.insert(key, object.clone())),
        }
        state.events.push((version, kind.into(), told(event, &object)));
        self.state.1.notify_all();
    }

    /// Ends all watches; they can be begun again where they were.
    pub(crate) fn end_watches(&self) {
        self.lock().life += 1;
        self.state.1.notify_all();
    }

    /// Forgets all versions so far and ends all watches: who comes back gets 410 as an event.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        let version = FIRST_VERSION + state.events.len() as u64 + 1;
        state.events.push((version, "none".into(), String::new()));
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

    /// How many requests there were like this.
    pub(crate) fn asked(&self, like: impl Fn(&Ask) -> bool) -> usize {
        self.lock().asked.iter().filter(|ask| like(ask)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }
}

/// A line of a watch. An API server writes the type first, and who reads it relies on that.
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

/// One request on each connection.
fn serve(stream: &TcpStream, state: &(Mutex<State>, Condvar)) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(target) = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned())) else { return };
    while lines.next().is_some_and(|field| !field.is_empty()) {}
    let ask = ask(&target);
    let lie = {
        let mut state = state.0.lock().unwrap();
        state.asked.push(ask.clone());
        state.lie.as_mut().and_then(|lie| lie(&ask))
    };
    if let Some(Lie::Late(by)) = lie {
        std::thread::sleep(by);
    }
    // Who does not listen any more has decided so.
    let _ = match lie.filter(|lie| !matches!(lie, Lie::Late(_))).unwrap_or_else(|| honest(&ask, state)) {
        Lie::Status(code, body) => write(stream, code, body.len(), &body),
        Lie::Cut(body) => write(stream, 200, body.len() + 9, &body),
        Lie::Late(_) => watch(stream, &ask, state),
        Lie::Watch(lines) => write!(&mut &*stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{lines}"),
        Lie::Close => Ok(()),
    };
}

/// `/api/v1/namespaces/shop/services/web?watch=true`
fn ask(target: &str) -> Ask {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (mut namespace, mut parts) = (String::new(), path.trim_start_matches('/').split('/'));
    // The group takes one part more than `/api/v1`.
    let _ = parts.nth(if path.starts_with("/apis/") { 2 } else { 1 });
    let mut parts: Vec<&str> = parts.collect();
    if parts.len() > 2 && parts[0] == "namespaces" {
        namespace = parts[1].into();
        parts.drain(..2);
    }
    let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
    let is_watch = query.split('&').any(|pair| pair == "watch=true");
    Ask { kind: part(0), namespace, name: part(1), is_watch, query: query.into() }
}

/// The truth; that of a watch takes its time.
fn honest(ask: &Ask, state: &(Mutex<State>, Condvar)) -> Lie {
    if ask.is_watch {
        return Lie::Late(Duration::ZERO);
    }
    let state = state.0.lock().unwrap();
    if !ask.name.is_empty() {
        let key = (ask.kind.clone(), ask.namespace.clone(), ask.name.clone());
        return match state.objects.get(&key) {
            Some(object) => Lie::Status(200, object.to_string()),
            None => Lie::not_found(ask),
        };
    }
    let version = (FIRST_VERSION + state.events.len() as u64).to_string();
    let items: Vec<&Value> =
        state.objects.iter().filter(|((kind, ..), _)| *kind == ask.kind).map(|(_, object)| object).collect();
    let list =
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": items});
    Lie::Status(200, list.to_string())
}

fn watch(mut stream: &TcpStream, ask: &Ask, state: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")?;
    let from: u64 = ask.parameter("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
    let (lock, changed) = state;
    let mut state = lock.lock().unwrap();
    let (life, mut seen) = (state.life, from.saturating_sub(FIRST_VERSION) as usize);
    if from < state.oldest {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old",
            "reason": "Expired", "code": 410});
        return stream.write_all(told("ERROR", &status).as_bytes());
    }
    while state.life == life {
        let new: Vec<String> = state.events[seen.min(state.events.len())..]
            .iter()
            .filter(|(_, kind, _)| *kind == ask.kind)
            .map(|(.., event)| event.clone())
            .collect();
        seen = state.events.len();
        drop(state);
        stream.write_all(new.concat().as_bytes())?;
        state = lock.lock().unwrap();
        if state.life == life && seen == state.events.len() {
            state = changed.wait(state).unwrap();
        }
    }
    Ok(())
}

fn write(mut stream: &TcpStream, code: u16, length: usize, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {code} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
