//! Endpoints that are told by a PROXY header which client each connection is for.

use std::net::SocketAddr;

use model::{Protocol, ProxyHeader, Transport};
use proxy::Protocol as Downstream;
use system_tests::{Client, Http2, Sluice, Upstream, eventually};

/// An upstream that reads a header of version 1 from each connection, and answers with it.
fn telling() -> Upstream {
    Upstream::scripted(|peer| {
        let mut header = Vec::new();
        while !header.ends_with(b"\r\n") {
            match peer.read_some(1) {
                Ok(byte) if !byte.is_empty() => header.extend(byte),
                _ => return,
            }
        }
        let header = String::from_utf8(header).unwrap();
        while peer.request().is_ok() {
            if peer.respond(header.trim_end()).is_err() {
                return;
            }
        }
    })
}

fn publish(sluice: &Sluice, protocol: Protocol, header: ProxyHeader, endpoints: &[SocketAddr]) {
    let (protocol, proxy_header) = (Some(protocol), Some(header));
    sluice.publish_over(Transport { protocol, proxy_header, ..Transport::default() }, endpoints);
}

fn expected(sluice: &Sluice, client: SocketAddr) -> String {
    format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}", client.port(), sluice.address.port())
}

#[test]
fn each_connection_begins_with_the_client_that_it_is_for_and_serves_no_other() {
    let upstream = telling();
    let sluice = Sluice::start(&[]);
    publish(&sluice, Protocol::Http, ProxyHeader::V1, &[upstream.address]);
    let mut clients = [Client::connect(sluice.address), Client::connect(sluice.address)];
    for _ in 0..3 {
        for client in &mut clients {
            let told = client.get("/").text();
            assert_eq!(told, expected(&sluice, client.stream().local_addr().unwrap()));
        }
    }
    assert_eq!(upstream.connections(), 2, "a client's next request goes on its own connection");
}

#[test]
fn a_client_that_leaves_takes_its_connection_with_it() {
    let upstream = telling();
    let sluice = Sluice::start(&[]);
    publish(&sluice, Protocol::Http, ProxyHeader::V1, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(upstream.ended(), 0);
    drop(client);
    eventually("the connection to the endpoint is closed", || upstream.ended() == 1);
}

#[test]
fn requests_that_share_a_connection_of_http2_share_the_ones_that_are_for_it() {
    let upstream = telling();
    let protocol = Downstream { http2_cleartext: true, ..Downstream::default() };
    let sluice = Sluice::speaking(protocol, |_| {}, &[]);
    publish(&sluice, Protocol::Http, ProxyHeader::V1, &[upstream.address]);
    let mut clients = [Http2::connect(sluice.address), Http2::connect(sluice.address)];
    let told: Vec<String> = (0..4)
        .map(|turn| {
            let answer = clients[turn % 2].get("host.test", "/").unwrap();
            String::from_utf8(answer.body.to_vec()).unwrap()
        })
        .collect();
    assert!(told[0] == told[2] && told[1] == told[3] && told[0] != told[1], "{told:?}");
    assert_eq!(upstream.connections(), 2);
}

#[test]
fn the_client_that_a_balancer_names_is_told_and_not_the_balancer() {
    let upstream = telling();
    let from = vec!["127.0.0.0/8".parse().unwrap()];
    let sluice =
        Sluice::speaking(Downstream { proxy_header_from: from, ..Downstream::default() }, |_| {}, &[]);
    publish(&sluice, Protocol::Http, ProxyHeader::V1, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n");
    assert_eq!(client.get("/").text(), "PROXY TCP6 2001:db8::1 2001:db8::2 4711 443");
}

#[test]
fn version_2_is_written_as_its_specification_has_it_and_goes_before_tls() {
    let (tell, told) = std::sync::mpsc::channel();
    let upstream = Upstream::scripted(move |peer| {
        let mut bytes = Vec::new();
        while bytes.len() < 31 {
            bytes.extend(peer.read_some(31 - bytes.len()).unwrap());
        }
        tell.send(bytes).unwrap();
    });
    let sluice = Sluice::start(&[]);
    publish(&sluice, Protocol::Https, ProxyHeader::V2, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("GET / HTTP/1.1\r\nHost: host.test\r\n\r\n");
    let (from, to) =
        (client.stream().local_addr().unwrap().port().to_be_bytes(), sluice.address.port().to_be_bytes());
    let mut expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01".to_vec();
    expected.extend([from[0], from[1], to[0], to[1]]);
    // Then the record of a handshake, of TLS.
    expected.extend([0x16, 0x03, 0x01]);
    assert_eq!(told.recv().unwrap(), expected);
}
