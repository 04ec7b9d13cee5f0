//! What is refused because it is too large or too much, and what is tried at another endpoint: through us, with the policy that is
//! made of an annotation, and through nginx with the directives that ingress-nginx makes of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use model::{
    Balance, Filters, Location, LocationPart, Policy, RateLimit, Redirect, RequestFilter, RequestLimits,
    Retry, RetryOn,
};
use system_tests::message::Reader;
use system_tests::{Gate as Barrier, Upstream, eventually, sluice};

use crate::gates::{Folder, Gate, Nginx, Ours, Stream};

/// nginx and us in front of the same endpoints.
struct Pair {
    nginx: Nginx,
    ours: Ours,
    _folder: Folder,
}

impl Pair {
    /// `zones` stands beside the server, and `location` in it.
    fn new(name: &str, zones: &str, location: &str, policy: Policy, endpoints: &[&Upstream]) -> Pair {
        let folder = Folder::new(name);
        // Else it would leave out one that has failed for a while, which the balancer of ingress-nginx does not.
        let servers: String =
            endpoints.iter().map(|it| format!("server {} max_fails=0; ", it.address)).collect();
        let nginx = Nginx::serving(
            &folder,
            &format!(
                "{zones}
    upstream all {{ {servers} }}
    server {{
        listen unix:nginx.sock;
        location / {{
            {location}
            proxy_pass http://all;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}"
            ),
        );
        let endpoints: Vec<_> = endpoints.iter().map(|it| sluice::ready(it.address)).collect();
        let policy = Policy { balance: Balance::RoundRobin, ..policy };
        Pair { nginx, ours: Ours::routing(sluice::table_with(2, policy, &endpoints)), _folder: folder }
    }

    fn both(&self) -> [(&'static str, &dyn Gate); 2] {
        [("nginx", &self.nginx), ("ours", &self.ours)]
    }

    /// The status of each request, which must be the same through both.
    fn statuses(&self, requests: &[String]) -> Vec<u16> {
        let [theirs, ours] =
            self.both().map(|(_, gate)| requests.iter().map(|it| status(gate, it)).collect::<Vec<_>>());
        assert_eq!(ours, theirs, "{requests:#?}");
        ours
    }
}

fn send(gate: &dyn Gate, request: &str) -> Box<dyn Stream> {
    let mut stream = gate.connect();
    // It may be refused before all of it is written.
    let _ = stream.write_all(request.as_bytes());
    stream
}

fn read(stream: &mut Box<dyn Stream>) -> u16 {
    Reader::default().head(stream).unwrap().status()
}

fn status(gate: &dyn Gate, request: &str) -> u16 {
    read(&mut send(gate, request))
}

fn get() -> String {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into()
}

fn sized(method: &str, body: usize) -> String {
    format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {body}\r\n\r\n{}", "x".repeat(body))
}

fn chunked(method: &str, body: usize) -> String {
    let body = format!("{body:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(body));
    format!("{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn bodies_are_refused_at_the_size_at_which_nginx_refuses_them_and_before_what_else_a_location_says() {
    let upstream = Upstream::answering("hello");
    let to = || Location::new([LocationPart::text("https://any.example")]);
    let https = || RequestFilter::Https(Redirect { status: 308, to: to() });
    for (place, (directives, most, filters)) in [
        ("client_max_body_size 4;", Some(4), vec![]),
        ("client_max_body_size 64k;", Some(64 << 10), vec![]),
        ("client_max_body_size 0;", None, vec![]),
        ("client_max_body_size 4; return 308 https://a$request_uri;", Some(4), vec![https()]),
    ]
    .into_iter()
    .enumerate()
    {
        let policy = Policy {
            request_body_max: most,
            filters: Filters::new(filters, Vec::new()),
            ..Policy::default()
        };
        let pair = Pair::new(&format!("body-{place}"), "", directives, policy, &[&upstream]);
        let mut requests = vec![get(), sized("GET", 0), sized("GET", 5), sized("PUT", 1 << 17)];
        for size in [3, 4, 5, 1 << 16, (1 << 16) + 1] {
            requests.push(sized("POST", size));
            // Of a redirect no body is read, and what one that says no length comes to is not known.
            if !directives.contains("return") {
                requests.push(chunked("POST", size));
            }
        }
        let statuses = pair.statuses(&requests);
        assert_eq!(statuses.contains(&413), most.is_some(), "{statuses:?}");
    }
}

fn limits(rates: &[(u64, u32, u32)], in_flight: u32, exempt: &[&str]) -> Policy {
    let rate = |(requests, seconds, burst): &(u64, u32, u32)| RateLimit {
        every: Duration::from_secs((*seconds).into()) / u32::try_from(*requests).unwrap(),
        burst: *burst,
    };
    let limits = RequestLimits {
        rates: rates.iter().map(rate).collect(),
        rate_status: 503,
        in_flight: NonZeroU32::new(in_flight),
        in_flight_status: 503,
        exempt: exempt.iter().map(|it| it.parse().unwrap()).collect(),
    };
    Policy { filters: Filters::new(vec![RequestFilter::Limits(limits)], Vec::new()), ..Policy::default() }
}

#[test]
fn of_a_burst_as_many_requests_are_served_as_by_nginx() {
    let upstream = Upstream::answering("hello");
    let zones = "limit_req_zone all zone=m1:1m rate=1r/m; limit_req_zone all zone=m6:1m rate=6r/m;
    limit_req_zone all zone=s9:1m rate=900r/s;";
    for (place, (directives, rates, served)) in [
        ("limit_req zone=m1 burst=5 nodelay;", &[(1, 60, 5)][..], 6),
        ("limit_req zone=m6 nodelay;", &[(6, 60, 0)], 1),
        ("limit_req zone=m6 burst=12 nodelay;", &[(6, 60, 12)], 13),
        (
            "limit_req zone=s9 burst=90 nodelay; limit_req zone=m1 burst=3 nodelay;",
            &[(900, 1, 90), (1, 60, 3)],
            4,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let pair =
            Pair::new(&format!("rate-{place}"), zones, directives, limits(rates, 0, &[]), &[&upstream]);
        let statuses = pair.statuses(&vec![get(); 15]);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), served, "{directives}");
    }
}

#[test]
fn as_many_requests_of_a_client_are_in_flight_as_with_nginx() {
    for most in 1..4 {
        let pass = Barrier::default();
        let upstream = Upstream::gated(&pass, "late");
        let zones = "limit_conn_zone all zone=all:1m;";
        let directive = format!("limit_conn all {most};");
        let policy = limits(&[], most, &[]);
        let pair = Pair::new(&format!("flight-{most}"), zones, &directive, policy, &[&upstream]);
        let mut waiting = Vec::new();
        for (name, gate) in pair.both() {
            let before = upstream.requests();
            waiting.extend((0..most).map(|_| send(gate, &get())));
            eventually("they wait", || upstream.requests() == before + most as usize);
            assert_eq!(status(gate, &get()), 503, "{name}, beyond {most}");
        }
        pass.open();
        assert!(waiting.iter_mut().all(|stream| read(stream) == 200));
        assert_eq!(pair.statuses(&[get()]), [200]);
    }
}

/// How often each status is seen of some requests that begin at each endpoint in turn.
fn counted(gate: &dyn Gate, request: &str) -> BTreeMap<u16, usize> {
    let mut seen = BTreeMap::new();
    (0..4).for_each(|_| *seen.entry(status(gate, request)).or_default() += 1);
    seen
}

/// An endpoint that answers with these bytes, and whose connections serve one request each.
fn saying(answer: &str) -> Upstream {
    let answer = answer.to_owned();
    Upstream::scripted(move |peer| drop(peer.request().and_then(|_| peer.send(&answer))))
}

#[test]
fn what_nginx_asks_of_another_endpoint_is_asked_of_another_endpoint() {
    let refused = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let unavailable = refused("503 Service Unavailable");
    for (words, bad) in [
        ("error timeout", ""),
        ("error timeout", &unavailable),
        ("error http_503", &unavailable),
        ("http_503 non_idempotent", &unavailable),
        ("error http_502", &unavailable),
        ("http_404 http_429 http_403", &refused("429 Too Many Requests")),
        ("http_500", ""),
        ("error invalid_header", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"),
        ("error", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"),
        ("off", &unavailable),
    ] {
        let (bad, good) = (saying(bad), saying(good));
        let is_off = words == "off";
        let on = words.split(' ').filter_map(RetryOn::parse).reduce(RetryOn::and).filter(|_| !is_off);
        let tries = NonZeroU16::new(if is_off { 1 } else { 3 });
        let retry = Retry { attempts: tries, endpoints: tries, within: None, on };
        let directives = format!("proxy_next_upstream {words}; proxy_next_upstream_tries 3;");
        let policy = Policy { retry, ..Policy::default() };
        let name = format!("next-{}", words.replace(' ', "-"));
        let pair = Pair::new(&name, "", &directives, policy, &[&bad, &good]);
        for request in [get(), sized("POST", 4), sized("PUT", 4), chunked("PUT", 4), sized("PATCH", 4)] {
            let [theirs, ours] = pair.both().map(|(_, gate)| counted(gate, &request));
            assert_eq!(ours, theirs, "{words}: {request}");
        }
    }
}
