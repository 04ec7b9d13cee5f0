//! Backends that serve in the place of a route's own: pages for errors, and where there is no endpoint.

use model::{
    Backend, BackendKey, Conditions, Filters, HostMatch, ObjectRef, Origin, Pages, PathMatch, Policy,
    RequestFilter, ResponseFilter, Route, RouteTable, RouteTableBuilder, Target,
};
use system_tests::{Client, Message, PATIENCE, Sluice, Upstream, sluice};

use crate::filters::addresses;

fn key(service: &str) -> BackendKey {
    BackendKey {
        namespace: "shop".into(),
        service: service.into(),
        port: "80".into(),
        transport: std::sync::Arc::default(),
    }
}

/// One route to a backend with these endpoints, and a second backend beside it.
fn table(pages: Pages, guard: Option<RequestFilter>, web: &[&Upstream], errors: &[&Upstream]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    let endpoints = |upstreams: &[&Upstream]| upstreams.iter().map(|it| sluice::ready(it.address)).collect();
    let web = builder.backend(&key("web"), || Backend::new(key("web"), endpoints(web)));
    builder.backend(&key("errors"), || Backend::new(key("errors"), endpoints(errors)));
    let filters = Filters::new(guard.into_iter().collect(), vec![ResponseFilter::Pages(pages)]);
    builder.route(Route {
        host: HostMatch::Any,
        path: PathMatch::prefix("/").expect("a path"),
        conditions: Conditions::default(),
        target: Target::Backend(web),
        policy: std::sync::Arc::new(Policy { filters, ..Policy::default() }),
        origin: Origin::new(ObjectRef::new("Ingress", "shop", "front"), "spec"),
    });
    builder.build(2)
}

fn of(statuses: &[u16]) -> Pages {
    Pages { statuses: statuses.into(), of_endpoints: true, by: Some(key("errors")), instead: None }
}

const FOUND: &str = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 4\r\n\r\npage";

fn told(request: &Message) -> Vec<Option<String>> {
    let names =
        ["code", "format", "original-uri", "namespace", "ingress-name", "service-name", "service-port"];
    names.map(|name| request.field(&format!("x-{name}"))).into()
}

fn gate(table: RouteTable) -> Sluice {
    let sluice = Sluice::start(&[]);
    sluice.publish_table(table);
    sluice
}

#[test]
fn an_answer_whose_status_is_listed_becomes_a_page_that_knows_what_it_is_for() {
    let (web, _seen) = Upstream::recording("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nweb");
    let (errors, asked) = Upstream::recording(FOUND);
    let sluice = gate(table(of(&[404, 503]), None, &[&web], &[&errors]));
    let mut client = Client::connect(sluice.address);
    for body in ["", "Content-Length: 2\r\n"] {
        let end = if body.is_empty() { "" } else { "hi" };
        let request = format!(
            "POST /a?b=c HTTP/1.1\r\nHost: any.example\r\nAccept: text/html\r\nX-Code: 200\r\n{body}\r\n{end}"
        );
        let answer = client.send(request).response();
        assert_eq!((answer.status(), answer.text().as_str()), (418, "page"));
        let asked = asked.recv_timeout(PATIENCE).expect("the page was asked for");
        assert_eq!(asked.start, "POST / HTTP/1.1");
        assert_eq!((asked.text().as_str(), asked.field("host").as_deref()), ("", Some("any.example")));
        let expected = ["404", "text/html", "/a?b=c", "shop", "front", "web", "80"];
        assert_eq!(told(&asked), expected.map(|text| Some(text.to_owned())));
    }
}

#[test]
fn answers_with_other_statuses_and_of_spared_endpoints_stay_as_they_are() {
    let (web, _seen) = Upstream::recording("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nweb");
    let errors = Upstream::answering("page");
    for pages in [of(&[500]), Pages { of_endpoints: false, ..of(&[404]) }] {
        let sluice = gate(table(pages, None, &[&web], &[&errors]));
        let answer = Client::connect(sluice.address).get("/");
        assert_eq!((answer.status(), answer.text().as_str()), (404, "web"));
    }
    assert_eq!(errors.connections(), 0);
}

#[test]
fn our_own_refusals_become_pages_too_and_without_a_backend_for_them_a_404() {
    let web = Upstream::answering("hello");
    let errors = Upstream::answering("page");
    let refuse = Some(addresses(&["127.0.0.0/8"], &[]));
    for (pages, guard, web, errors, expected) in [
        (of(&[403]), refuse.clone(), &[&web][..], &[&errors][..], (200, "page")),
        (of(&[503]), None, &[], &[&errors], (200, "page")),
        (
            Pages { by: None, ..of(&[403]) },
            refuse.clone(),
            &[&web],
            &[&errors],
            (404, "404 Not Found (no-route)\n"),
        ),
        // The page itself cannot be had.
        (of(&[403, 503]), refuse, &[&web], &[], (503, "503 Service Unavailable (no-endpoint)\n")),
    ] {
        let sluice = gate(table(pages, guard, web, errors));
        let answer = Client::connect(sluice.address).get("/x");
        assert_eq!((answer.status(), answer.text().as_str()), expected);
    }
}

#[test]
fn where_there_is_no_endpoint_another_backend_serves_the_whole_request() {
    let (errors, asked) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ninstead");
    let pages = Pages { instead: Some(key("errors")), ..Pages::default() };
    let sluice = gate(table(pages.clone(), None, &[], &[&errors]));
    let mut client = Client::connect(sluice.address);
    let request =
        "POST /a?b=c HTTP/1.1\r\nHost: any.example\r\nX-Format: forged\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(client.send(request).response().text(), "instead");
    let got = asked.recv_timeout(PATIENCE).expect("it was asked");
    assert_eq!((got.start.as_str(), got.text().as_str()), ("POST /a?b=c HTTP/1.1", "hi"));
    let expected = [Some("503"), None, None, Some("shop"), Some("front"), Some("web"), Some("80")];
    assert_eq!(told(&got), expected.map(|text| text.map(str::to_owned)));
    // As soon as the route's own has one again, that serves.
    let web = Upstream::answering("web");
    sluice.publish_table(table(pages, None, &[&web], &[&errors]));
    assert_eq!(client.get("/").text(), "web");
}
