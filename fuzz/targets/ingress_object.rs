//! Whatever an Ingress says, compile makes a table of it, the same one each time, and never panics.
#![no_main]

use std::sync::Arc;

use compile::{ObjectKey, Objects, Settings, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|manifest: &str| {
    // JSON is YAML too.
    let Ok(ingress) = serde_saphyr::from_str(manifest) else { return };
    let mut objects = Objects::default();
    objects.ingresses.insert(ObjectKey::new("default", "fuzz"), Arc::new(ingress));
    let settings = Settings::default();
    let (first, second) = (compile(&objects, &settings, 1), compile(&objects, &settings, 1));
    assert_eq!(first.problems, second.problems);
    assert_eq!(first.table.routes(), second.table.routes());
});
