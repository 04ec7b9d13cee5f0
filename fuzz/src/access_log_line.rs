//! A line of the access log is one line and one JSON object, whatever its fields hold, and says of them what they say.

use serde_json::{Map, Value};

/// The names in the order in which the log writes them.
const DRAFT: [&str; 4] = ["method", "host", "target", "user_agent"];
const END: [&str; 3] = ["client", "upstream", "error"];
/// The longest line: seven fields of 2 KiB whose every byte is escaped with six.
const LINE_BYTES_MAX: usize = 7 * 6 * (2 << 10) + 512;

/// Checks it. A byte 0 parts the fields.
pub fn check(data: &[u8]) {
    let mut values = data.split(|byte| *byte == 0);
    let draft: Vec<_> = DRAFT.into_iter().zip(values.by_ref()).collect();
    let end: Vec<_> = END.into_iter().zip(values).collect();
    let line = proxy::fuzzing::access_log_line(&draft, &end, data.len() as u64);
    let text = line.strip_suffix(b"\n").expect("a line ends");
    assert!(text.iter().all(|byte| matches!(byte, b' '..=b'~')), "a line is printable ASCII");
    assert!(line.len() <= LINE_BYTES_MAX, "{} bytes", line.len());
    let object: Map<String, Value> = serde_json::from_slice(text).expect("a line is one object");
    assert_eq!(object.len(), 2 + draft.len() + end.len(), "no field hides another");
    assert_eq!(object["status"].as_u64(), Some(data.len() as u64));
    for (name, value) in draft.iter().chain(&end) {
        let said: String = value.iter().take(2 << 10).map(|byte| char::from(*byte)).collect();
        assert_eq!(object[*name].as_str(), Some(said.as_str()), "{name}");
    }
}
