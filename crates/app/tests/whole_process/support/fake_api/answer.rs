//! What the server says to a request: the truth, or the lie of the test.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::PATIENCE;
use super::ask::{Ask, read};
use super::{FIRST_VERSION, Lie, State, told};

/// One request on each connection.
pub(super) fn serve(stream: &TcpStream, state: &(Mutex<State>, Condvar)) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let Some(ask) = read(stream) else { return };
    let is_secret = ask.kind == "secrets" && !ask.is_watch;
    let lie = {
        let mut state = state.0.lock().unwrap();
        state.asked.push(ask.clone());
        if is_secret {
            state.busy += 1;
            state.busiest = state.busiest.max(state.busy);
        }
        state.lie.as_mut().and_then(|lie| lie(&ask))
    };
    answer(stream, &ask, lie, state);
    if is_secret {
        state.0.lock().unwrap().busy -= 1;
    }
}

fn answer(stream: &TcpStream, ask: &Ask, lie: Option<Lie>, state: &(Mutex<State>, Condvar)) {
    if let Some(Lie::Late(by)) = lie {
        std::thread::sleep(by);
    }
    // A client that does not listen any more has decided so.
    let _ = match lie.filter(|lie| !matches!(lie, Lie::Late(_))).unwrap_or_else(|| honest(ask, state)) {
        Lie::Status(code, body) => write(stream, code, body.len(), &body),
        Lie::Cut(body) => write(stream, 200, body.len() + 9, &body),
        Lie::Late(_) => watch(stream, ask, state),
        Lie::Watch(lines) => write!(&mut &*stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{lines}"),
        Lie::Close => Ok(()),
    };
}

/// The truth; that of a watch takes its time.
fn honest(ask: &Ask, state: &(Mutex<State>, Condvar)) -> Lie {
    let may_watch_secrets = state.0.lock().unwrap().may_watch_secrets;
    if ask.kind == "secrets" && ask.name.is_empty() && !(ask.is_watch && may_watch_secrets) {
        return Lie::refusal(403, "Forbidden");
    }
    if ask.is_watch {
        return Lie::Late(Duration::ZERO);
    }
    if ask.kind == "selfsubjectaccessreviews" {
        let review = json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
            "spec": {}, "status": {"allowed": may_watch_secrets}});
        return Lie::Status(201, review.to_string());
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
    let from = ask.parameter("resourceVersion").and_then(|version| version.parse::<u64>().ok());
    let name = ask.parameter("fieldSelector").and_then(|field| field.strip_prefix("metadata.name%3D"));
    let is_meant = |kind: &str, of: &str| kind == ask.kind && name.is_none_or(|name| name == of);
    let (lock, changed) = state;
    let mut state = lock.lock().unwrap();
    let (life, mut seen) = (state.life, state.events.len());
    match from {
        Some(from) => seen = from.saturating_sub(FIRST_VERSION) as usize,
        // From now on, which begins with what there is.
        None => {
            let there = state.objects.iter().filter(|((kind, _, name), _)| is_meant(kind, name));
            let there: Vec<String> = there.map(|(_, object)| told("ADDED", object)).collect();
            stream.write_all(there.concat().as_bytes())?;
        }
    }
    if from.is_some_and(|from| from < state.oldest) {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old",
            "reason": "Expired", "code": 410});
        return stream.write_all(told("ERROR", &status).as_bytes());
    }
    while state.life == life {
        let new: Vec<String> = state.events[seen.min(state.events.len())..]
            .iter()
            .filter(|event| is_meant(&event.kind, &event.name))
            .map(|event| event.told.clone())
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
