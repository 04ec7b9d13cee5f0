//! Pieces of nginx' configuration in annotations: what nginx makes of them, and we of what we read in them.

use super::{Case, NO_TLS, TARGETS};

pub(in crate::answers) const CASES: &[Case] = &[
    Case {
        name: "snippet-fields",
        annotations: &[NO_TLS, ("configuration-snippet", FIELDS)],
        location: FIELDS,
        lua: "",
        requests: probes![
            "X-Hidden: a|X-Added: of the endpoint|X-Other: b",
            "X-Always: of the endpoint|x-hidden: a|X-Hidden: b",
            "Cache-Control: max-age=5",
        ],
    },
    Case {
        name: "snippet-words",
        annotations: &[NO_TLS, ("configuration-snippet", WORDS)],
        location: WORDS,
        lua: "",
        requests: probes!["X-Other: b"],
    },
    Case {
        name: "snippet-https",
        annotations: &[NO_TLS, ("configuration-snippet", TO_HTTPS)],
        location: TO_HTTPS,
        lua: "",
        // The host as the client writes it, where nginx has it in lower case.
        requests: &[
            "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
            "GET /a/b/?c=d&e=%2F HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n",
            "POST /a//b/ HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nhi",
        ],
    },
    Case {
        name: "snippet-return",
        annotations: &[NO_TLS, ("server-snippet", "return 302 https://other.example$request_uri;")],
        location: "return 302 https://other.example$request_uri;",
        lua: "",
        requests: TARGETS,
    },
    Case {
        name: "snippet-refuses",
        annotations: &[NO_TLS, ("configuration-snippet", "return 403;")],
        location: "return 403;",
        lua: "",
        requests: &["GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
    },
    Case {
        name: "snippet-addresses",
        annotations: &[NO_TLS, ("configuration-snippet", ADDRESSES)],
        // On its Unix socket nginx has no address of a client.
        location: "set_real_ip_from unix:; real_ip_header X-Client; allow 127.0.0.0/8; deny all;",
        lua: "",
        requests: &["GET / HTTP/1.1\r\nHost: shop.example\r\nX-Client: 127.0.0.1\r\n\r\n"],
    },
];

const FIELDS: &str = "# fields
    add_header X-Added 'a b';
    add_header X-Always \"c; d\" always;
    proxy_hide_header X-Hidden;";

/// Words that nginx reads in its own way.
const WORDS: &str = r#"add_header X-One "say \"a\"" ;add_header X-Two 'it s#no comment';
    add_header X-Three a#b; # one
    add_header "X-Four"   c\d;"#;

const TO_HTTPS: &str = "if ($scheme = http) { return 301 https://$host$request_uri; }";

const ADDRESSES: &str = "allow 127.0.0.0/8; deny all;";
