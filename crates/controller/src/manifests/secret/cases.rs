//! What manifests of Secrets say, and what becomes of them: here, and at a real API server (`tests/secrets.rs`).
//!
//! Not among them: words that only YAML 1.1 takes for something else than text (`yes`, `on`, `012`). `kubectl` does, and
//! the API server refuses them as text; here they are text.

/// What becomes of a Secret.
pub(crate) enum Becomes {
    /// It has this data, as text.
    Data(Vec<(String, String)>),
    /// It is refused for this field.
    Refused(&'static str),
}

/// The manifest of a Secret, but for its name, and what becomes of it.
pub(crate) type Case = (String, Becomes);

fn data(entries: &[(&str, &str)]) -> Becomes {
    Becomes::Data(entries.iter().map(|(key, text)| ((*key).into(), (*text).into())).collect())
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [base64(), texts(), names(), types(), sizes()].into_iter().flatten().collect()
}

/// The manifest of a Secret of this name.
pub(crate) fn manifest(name: &str, rest: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n{rest}\n")
}

fn case(rest: &str, becomes: Becomes) -> Case {
    (rest.into(), becomes)
}

fn base64() -> Vec<Case> {
    let refused = [
        "YQ",
        "YWJ",
        "' YQ=='",
        "YQ==YQ==",
        "-_-_",
        "'='",
        "YQ===",
        "\"Y\\tQ==\"",
        "pass-word",
        "1234",
        "true",
    ];
    let refused =
        refused.iter().map(|text| case(&format!("data: {{a: {text}}}"), Becomes::Refused("data[a]")));
    let a = || data(&[("a", "a")]);
    let taken = [
        ("data: {a: YQ==}", a()),
        ("data: {a: \"Y\\r\\nQ=\\n=\\n\"}", a()),
        ("data:\n  a: |\n    Y\n    Q==\n", a()),
        ("data: {a: YR==}", a()),
        ("data: {a: [97]}", a()),
        ("data: {a: ''}", data(&[("a", "")])),
        ("data: {a: }", data(&[("a", "")])),
        ("data: {a: []}", data(&[("a", "")])),
        ("data: {a: \"\\n\"}", data(&[("a", "")])),
        ("data: ", data(&[])),
        ("data: {}", data(&[])),
        ("", data(&[])),
        // A line that is folded into a space is no base64.
        ("data:\n  a: YWJj\n    YWJj\n", Becomes::Refused("data[a]")),
        ("data:\n  a: >-\n    YWJj\n    YWJj\n", Becomes::Refused("data[a]")),
        ("data: {a: [97, 256]}", Becomes::Refused("data[a]")),
        ("data: {a: [x]}", Becomes::Refused("data[a]")),
        ("data: {a: {}}", Becomes::Refused("data[a]")),
        ("data: []", Becomes::Refused("data")),
        ("data: text", Becomes::Refused("data")),
    ];
    taken.into_iter().map(|(rest, becomes)| case(rest, becomes)).chain(refused).collect()
}

fn texts() -> Vec<Case> {
    let cases = [
        ("stringData: {a: b}", data(&[("a", "b")])),
        ("stringData: {a: }", data(&[("a", "")])),
        ("stringData: ", data(&[])),
        ("stringData:\n  a: |\n    x\n    y\n", data(&[("a", "x\ny\n")])),
        ("data: {a: YQ==, c: Yw==}\nstringData: {a: b, d: ''}", data(&[("a", "b"), ("c", "c"), ("d", "")])),
        ("data: {a: nonsense!}\nstringData: {a: b}", Becomes::Refused("data[a]")),
        ("stringData: {a: 1}", Becomes::Refused("stringData[a]")),
        ("stringData: {a: 1.5}", Becomes::Refused("stringData[a]")),
        ("stringData: {a: true}", Becomes::Refused("stringData[a]")),
        ("stringData: {a: [b]}", Becomes::Refused("stringData[a]")),
        ("stringData: [a]", Becomes::Refused("stringData")),
        ("Data: {a: YQ==}", data(&[])),
        ("immutable: true\nstringData: {a: b}", data(&[("a", "b")])),
        ("immutable: often", Becomes::Refused("immutable")),
    ];
    cases.into_iter().map(|(rest, becomes)| case(rest, becomes)).collect()
}

fn names() -> Vec<Case> {
    let long = ["k".repeat(253), "k".repeat(254)];
    let taken = [".a", "a.", "-", "_", "A-b_c.9", &long[0]];
    let refused = [
        ("a b", "data[a b]"),
        ("", "data[]"),
        (".", "data[.]"),
        ("..", "data[..]"),
        ("..a", "data[..a]"),
        ("a/b", "data[a/b]"),
        ("ü", "data[ü]"),
    ];
    let rest = |key: &str| format!("stringData: {{\"{key}\": x}}");
    let taken = taken.into_iter().map(|key| (rest(key), data(&[(key, "x")])));
    let refused = refused.into_iter().map(|(key, field)| (rest(key), Becomes::Refused(field)));
    taken.chain(refused).chain([(rest(&long[1]), Becomes::Refused("data[kkk"))]).collect()
}

fn types() -> Vec<Case> {
    let cases = [
        ("tls", "{tls.crt: c, tls.key: k}", data(&[("tls.crt", "c"), ("tls.key", "k")])),
        ("tls", "{tls.crt: '', tls.key: ''}", data(&[("tls.crt", ""), ("tls.key", "")])),
        ("tls", "{tls.crt: c}", Becomes::Refused("data[tls.key]")),
        ("tls", "{tls.key: k}", Becomes::Refused("data[tls.crt]")),
        ("tls", "{}", Becomes::Refused("data[tls.crt]")),
        ("basic-auth", "{username: u}", data(&[("username", "u")])),
        ("basic-auth", "{password: ''}", data(&[("password", "")])),
        ("basic-auth", "{auth: u}", Becomes::Refused("data[username]")),
        ("ssh-auth", "{ssh-privatekey: k}", data(&[("ssh-privatekey", "k")])),
        ("ssh-auth", "{ssh-privatekey: ''}", Becomes::Refused("data[ssh-privatekey]")),
        ("dockerconfigjson", "{.dockerconfigjson: '{}'}", data(&[(".dockerconfigjson", "{}")])),
        ("dockerconfigjson", "{.dockerconfigjson: 'null'}", data(&[(".dockerconfigjson", "null")])),
        ("dockerconfigjson", "{.dockerconfigjson: ''}", Becomes::Refused("data[.dockerconfigjson]")),
        ("dockerconfigjson", "{}", Becomes::Refused("data[.dockerconfigjson]")),
        ("dockercfg", "{.dockercfg: '[]'}", Becomes::Refused("data[.dockercfg]")),
        ("service-account-token", "{}", Becomes::Refused("metadata.annotations[")),
        ("whatever", "{}", data(&[])),
    ];
    let of_kubernetes = cases
        .into_iter()
        .map(|(kind, texts, becomes)| (format!("type: kubernetes.io/{kind}\nstringData: {texts}"), becomes));
    let others = [("''", data(&[])), ("", data(&[])), ("Opaque", data(&[])), ("5", Becomes::Refused("type"))];
    of_kubernetes
        .chain(others.into_iter().map(|(kind, becomes)| (format!("type: {kind}"), becomes)))
        .collect()
}

/// The names of entries do not count.
fn sizes() -> Vec<Case> {
    let (most, half) = ("x".repeat(1024 * 1024), "x".repeat(512 * 1024));
    vec![
        (format!("stringData: {{a: {most}}}"), data(&[("a", &most)])),
        (format!("stringData: {{a: {half}, b: {half}y}}"), Becomes::Refused("data")),
    ]
}
