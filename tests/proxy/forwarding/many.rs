//! Many requests: in a row, all at once, and all mixed up.

use std::fmt::Write as _;

use system_tests::{Client, End, Sluice, Upstream};

/// An upstream that answers each request with its target and its body.
fn echoing() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            if peer.respond(&format!("{} {}", request.target(), request.text())).is_err() {
                return;
            }
        }
    })
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let upstream = echoing();
    let sluice = Sluice::start(&[upstream.address]);
    let mut all = String::new();
    for n in 0..50 {
        let _ = write!(all, "GET /{n} HTTP/1.1\r\nHost: host.test\r\n\r\n");
        let _ = write!(all, "POST /p{n} HTTP/1.1\r\nHost: host.test\r\nContent-Length: 3\r\n\r\nabc");
    }
    let mut client = Client::connect(sluice.address);
    client.send(all);
    for n in 0..50 {
        assert_eq!(client.response().text(), format!("/{n} "));
        assert_eq!(client.response().text(), format!("/p{n} abc"));
    }
}

#[test]
fn pipelined_requests_behind_one_that_closes_are_not_answered() {
    let upstream = echoing();
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("GET /1 HTTP/1.1\r\nHost: host.test\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: host.test\r\n\r\n");
    assert_eq!(client.response().text(), "/1 ");
    assert_eq!(client.rest(), (vec![], End::Clean));
    assert_eq!(upstream.requests(), 1);
}

#[test]
fn a_thousand_requests_go_over_one_connection() {
    let upstream = echoing();
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for n in 0..1000 {
        assert_eq!(client.get(&format!("/{n}")).text(), format!("/{n} "));
    }
    assert_eq!((upstream.requests(), upstream.connections()), (1000, 1));
}

#[test]
fn answers_never_get_to_another_client() {
    const CLIENTS: usize = 64;
    const REQUESTS: usize = 160;
    let upstreams = [echoing(), echoing(), echoing()];
    let sluice = Sluice::with(|config| config.workers = 2, &upstreams.each_ref().map(|u| u.address));
    let address = sluice.address;
    std::thread::scope(|scope| {
        for id in 0..CLIENTS {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for n in 0..REQUESTS {
                    let body = format!("{id}:{n}:").repeat(1 + (n * 7 + id) % 60);
                    client.send(match n % 3 {
                        0 => format!("GET /{body} HTTP/1.1\r\nHost: host.test\r\n\r\n"),
                        1 => format!(
                            "POST /{id} HTTP/1.1\r\nHost: host.test\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        ),
                        _ => format!(
                            "PUT /{id} HTTP/1.1\r\nHost: host.test\r\nTransfer-Encoding: chunked\r\n\r\n\
                             {:x}\r\n{body}\r\n0\r\n\r\n",
                            body.len()
                        ),
                    });
                    let wanted = if n % 3 == 0 { format!("/{body} ") } else { format!("/{id} {body}") };
                    assert_eq!(client.response().text(), wanted);
                }
            });
        }
    });
    assert_eq!(upstreams.iter().map(Upstream::requests).sum::<usize>(), CLIENTS * REQUESTS);
}
