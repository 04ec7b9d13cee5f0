//! What endpoints are told of the client, by what came and from where.

use super::*;

fn forwarding(peer: &str) -> (Forwarding, Vec<IpNet>) {
    let networks = vec!["10.0.0.0/8".parse().unwrap()];
    (
        Forwarding::new(peer.parse().unwrap(), "127.0.0.1:8080".parse().unwrap(), None, "http", &networks),
        networks,
    )
}

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let name = |n: &str| HeaderName::from_bytes(n.as_bytes()).unwrap();
    fields.iter().map(|(n, v)| (name(n), HeaderValue::from_str(v).unwrap())).collect()
}

#[test]
fn what_a_stranger_says_about_itself_is_replaced() {
    let (mut forwarding, networks) = forwarding("192.0.2.7:999");
    let mut headers = headers(&[
        ("host", "Shop.example:81"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6"),
        ("x-request-id", "mine"),
    ]);
    forwarding.set(&mut headers, &networks);
    assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(headers["x-real-ip"], "192.0.2.7");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["x-forwarded-host"], "Shop.example:81");
    assert_eq!(headers["x-forwarded-port"], "81");
    assert_eq!(headers["forwarded"], "for=192.0.2.7;host=\"Shop.example:81\";proto=http");
    assert_eq!(headers["x-request-id"].len(), 32);
}

#[test]
fn what_a_trusted_proxy_says_is_believed_and_extended() {
    let (mut forwarding, networks) = forwarding("10.0.0.1:999");
    let mut headers = headers(&[
        ("host", "a"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "from-the-edge"),
    ]);
    forwarding.set(&mut headers, &networks);
    assert_eq!(headers["x-forwarded-for"], "6.6.6.6, 203.0.113.9, 10.0.0.2, 10.0.0.1");
    assert_eq!(headers["x-real-ip"], "203.0.113.9", "the nearest address that is not trusted");
    assert_eq!(headers["x-forwarded-proto"], "https");
    assert_eq!(headers["x-request-id"], "from-the-edge");
    assert_eq!(headers["forwarded"], "for=10.0.0.1;host=a;proto=http");
}

#[test]
fn the_port_is_the_one_that_the_client_used() {
    for (peer, fields, port) in [
        ("192.0.2.7:9", &[("host", "a")][..], "80"),
        ("192.0.2.7:9", &[("host", "a:8443")], "8443"),
        ("192.0.2.7:9", &[("host", "[::1]:81"), ("x-forwarded-port", "1")], "81"),
        ("192.0.2.7:9", &[("host", "[::1]"), ("x-forwarded-proto", "https")], "80"),
        ("10.0.0.1:9", &[("host", "a"), ("x-forwarded-proto", "https")], "443"),
        ("10.0.0.1:9", &[("host", "a"), ("x-forwarded-proto", "HTTPS, http")], "443"),
        ("10.0.0.1:9", &[("host", "a:81"), ("x-forwarded-host", "b"), ("x-forwarded-proto", "https")], "443"),
        ("10.0.0.1:9", &[("host", "a"), ("x-forwarded-host", "b:8443, c")], "8443"),
        ("10.0.0.1:9", &[("host", "a:81"), ("x-forwarded-port", "8443")], "8443"),
        ("10.0.0.1:9", &[("host", "a")], "80"),
    ] {
        let (mut forwarding, networks) = forwarding(peer);
        let mut headers = headers(fields);
        forwarding.set(&mut headers, &networks);
        assert_eq!(headers["x-forwarded-port"], port, "{peer} {fields:?}");
    }
}

#[test]
fn a_port_that_a_load_balancer_tells_counts_where_the_host_has_none() {
    for (peer, fields, port) in [
        ("192.0.2.7:9", &[("host", "a")][..], "8443"),
        ("192.0.2.7:9", &[("host", "a:81")], "81"),
        ("10.0.0.1:9", &[("host", "a")], "8443"),
        ("10.0.0.1:9", &[("host", "a"), ("x-forwarded-proto", "https")], "443"),
    ] {
        let (mut forwarding, networks) = forwarding(peer);
        forwarding.connected_to = Some(8443);
        let mut headers = headers(fields);
        forwarding.set(&mut headers, &networks);
        assert_eq!(headers["x-forwarded-port"], port, "{peer} {fields:?}");
    }
}

#[test]
fn addresses_of_ipv6_are_quoted_and_mapped_ones_are_written_as_ipv4() {
    let (mut six, networks) = forwarding("[2001:db8::1]:9");
    let mut map = headers(&[("host", "a")]);
    six.set(&mut map, &networks);
    assert_eq!(map["forwarded"], "for=\"[2001:db8::1]\";host=a;proto=http");
    let (mapped, _) = forwarding("[::ffff:10.1.2.3]:9");
    assert!(mapped.trusted && mapped.peer == "10.1.2.3");
}

#[test]
fn a_client_of_http_10_without_a_host_gets_one_for_the_upstream() {
    let (mut forwarding, networks) = forwarding("192.0.2.7:999");
    let mut map = headers(&[]);
    forwarding.set(&mut map, &networks);
    assert_eq!(map["host"], "127.0.0.1:8080");
}
