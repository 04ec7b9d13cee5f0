//! The metadata of an instance, version 2: nothing is told without a token.

use crate::Shared;
use crate::http::{Answer, Request};

const TOKEN: &str = "a-token";
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

pub(crate) fn answer(request: &Request, model: &Shared) -> Option<Answer> {
    let hangs = model.lock().unwrap().failures.iter().any(|(action, _)| action == "metadata");
    if hangs {
        return None;
    }
    Some(match (&*request.method, &*request.path) {
        ("PUT", "/latest/api/token") => match request.field(TTL) {
            Some(ttl) => Answer { fields: format!("{TTL}: {ttl}\r\n"), ..Answer::new(200, TOKEN) },
            None => Answer::new(400, ""),
        },
        _ if request.field("x-aws-ec2-metadata-token") != Some(TOKEN) => Answer::new(401, ""),
        ("GET", "/latest/meta-data/instance-id") => Answer::new(200, "i-0123456789abcdef0"),
        ("GET", "/latest/meta-data/local-ipv4") => Answer::new(200, "192.0.2.7"),
        ("GET", "/latest/meta-data/placement/region") => Answer::new(200, "eu-west-1"),
        _ => Answer::new(404, ""),
    })
}
