//! What a change costs in a large cluster: all compiled anew, and the backends of one Service alone. `cargo bench`

mod shops;

use std::collections::BTreeSet;
use std::sync::Arc;

use compile::{Settings, compile};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use shops::{key, name};

/// As many Ingresses of one rule, and as many slices.
const SERVICES: usize = 5_000;
const ENDPOINTS_PER_SERVICE: usize = 10;
/// Of each rule.
const PATHS: [&str; 1] = ["/"];

criterion_group!(benches, compile_all, update_one);
criterion_main!(benches);

fn compile_all(criterion: &mut Criterion) {
    let (objects, settings) = (shops::objects(SERVICES, &PATHS, ENDPOINTS_PER_SERVICE), Settings::default());
    let compiled = compile(&objects, &settings, 1);
    assert_eq!((compiled.table.routes().len(), compiled.problems.len()), (SERVICES, 0));
    let mut group = criterion.benchmark_group("slow");
    group.sample_size(10);
    group.bench_function("compile all", |bencher| bencher.iter(|| compile(&objects, &settings, 1)));
}

/// An endpoint comes and goes; what is live is kept by another owner meanwhile, as it is by the workers.
fn update_one(criterion: &mut Criterion) {
    let (mut objects, settings) =
        (shops::objects(SERVICES, &PATHS, ENDPOINTS_PER_SERVICE), Settings::default());
    let mut compiled = compile(&objects, &settings, 1);
    let name = name(SERVICES / 2);
    let services = BTreeSet::from([key(&name)]);
    let slices = [0, 1].map(|less| shops::slice(SERVICES / 2, ENDPOINTS_PER_SERVICE - less));
    let mut next = (2..).zip(slices.iter().rev().cycle());
    let mut live = compiled.table.clone();
    criterion.bench_function("update the backends of one Service", |bencher| {
        let change = || {
            let (generation, slice) = next.next().expect("a cycle has no end");
            (generation, Arc::clone(slice))
        };
        let update = |(generation, slice)| {
            objects.endpoint_slices.insert(key(&name), slice);
            assert!(compiled.update_backends(&objects, &settings, &services, generation));
            live = compiled.table.clone();
        };
        bencher.iter_batched(change, update, BatchSize::PerIteration);
    });
    assert_eq!(live.generation, compiled.table.generation);
}
