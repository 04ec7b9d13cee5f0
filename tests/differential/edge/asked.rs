//! What is set, and what clients send.

use super::nginx::Config;

/// Keys of the ConfigMap, and what ingress-nginx makes of them.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) keys: &'static [(&'static str, &'static str)],
    pub(super) config: Config,
}

const fn setting(
    name: &'static str,
    keys: &'static [(&'static str, &'static str)],
    config: Config,
) -> Setting {
    Setting { name, keys, config }
}

pub(super) const SETTINGS: &[Setting] = &[
    setting("default", &[], Config::DEFAULT),
    setting(
        "forwarded",
        &[("use-forwarded-headers", "true")],
        Config { believes: true, real_ip: "X-Forwarded-For", ..Config::DEFAULT },
    ),
    setting(
        "full",
        &[("use-forwarded-headers", "true"), ("compute-full-forwarded-for", "true")],
        Config { believes: true, chain: true, real_ip: "X-Forwarded-For", ..Config::DEFAULT },
    ),
    setting(
        "networks",
        &[
            ("use-forwarded-headers", "true"),
            ("proxy-real-ip-cidr", "127.0.0.0/8, 10.0.0.0/8"),
            ("forwarded-for-header", "CF-Connecting-IP"),
        ],
        Config {
            believes: true,
            real_ip: "CF-Connecting-IP",
            real_ip_from: "set_real_ip_from 127.0.0.0/8; set_real_ip_from 10.0.0.0/8;",
            original_for: "$http_cf_connecting_ip",
            ..Config::DEFAULT
        },
    ),
    setting(
        "address",
        &[("enable-real-ip", "true"), ("proxy-add-original-uri-header", "true"), ("hide-headers", "X-Own")],
        Config {
            real_ip: "X-Forwarded-For",
            more: "proxy_set_header X-Original-URI $request_uri; proxy_hide_header X-Own;",
            ..Config::DEFAULT
        },
    ),
    setting(
        "names",
        &[("enable-underscores-in-headers", "true"), ("generate-request-id", "false")],
        Config { request_id: "''", names: "underscores_in_headers on;", ..Config::DEFAULT },
    ),
];

pub(super) const REQUESTS: &[&str] = &[
    "GET /a/b?c=%2F HTTP/1.1\r\nHost: Shop.example:8080\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n\
     X-Forwarded-Host: b:1, c\r\nX-Request-ID: mine\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 2001:db8::1, 198.51.100.7:99, 10.0.0.1\r\n\
     CF-Connecting-IP: 192.0.2.9, 10.1.1.1\r\nX-Real-IP: 6.6.6.6\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, nonsense, 10.0.0.1\r\nCF-Connecting-IP: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nProxy: http://evil\r\nX-Scheme: s\r\nX-Forwarded-Scheme: s\r\nX-Original-URI: /u\r\n\
     X-Original-Forwarded-For: 6.6.6.6\r\nX-Original-Forwarded-Host: e\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-Server: s\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX_Under: 1\r\nX.Dot: 2\r\nX!Mark: 3\r\nX-Plain: 4\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\n\r\nhi",
];
