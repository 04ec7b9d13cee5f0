//! The state and the manifests say the same.

use super::*;
use model::{Get, RequestHost, RequestPath};

/// The oracle and the code that is shown must agree, or the demo would prove nothing.
#[test]
fn after_any_change_the_manifests_mean_what_the_state_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let addresses = [1, 2, 3].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let mut shop = Shop::open(folder.path(), addresses).expect("manifests");
    let settings = compile::Settings { allow_loopback: true, ..compile::Settings::default() };
    for _ in 0..100 {
        let change = shop.change(|_| {}).expect("a change");
        let compiled = controller::Once::of_manifests(shop.manifests()).expect("a folder").compile(&settings);
        assert!(compiled.problems.is_empty(), "{change}: {:?}", compiled.problems);
        for (url, (host, path)) in URLS.iter().enumerate() {
            let (path, _) = path.split_once('?').unwrap_or((path, ""));
            let (host, path) =
                (RequestHost::parse(host).expect("a host"), RequestPath::parse(path).expect("a path"));
            let table = &compiled.table;
            let route = table.find(&Get { host: Some(&host), path: &path }).expect("a route for each URL");
            let usable = route.target.backends().flat_map(|place| table.backend_at(place).usable());
            let usable = usable.fold(0, |set, endpoint| set | 1 << (endpoint.key.address.port() - 1));
            assert_eq!(usable, shop.state().allowed(url), "{change}: {:?}", URLS[url]);
        }
    }
}
