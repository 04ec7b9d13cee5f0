//! What is asked for, and what clients send.

/// A manifest and its requests.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Without the prefix.
    pub(super) annotations: &'static [(&'static str, &'static str)],
    /// What ingress-nginx writes of them into the location.
    pub(super) location: &'static str,
    /// What Lua does there.
    pub(super) lua: &'static str,
    pub(super) requests: &'static [&'static str],
}

const NO_TLS: (&str, &str) = ("ssl-redirect", "false");

/// Of every kind of target.
const TARGETS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "GET /a/b/?c=d&e=%2F HTTP/1.1\r\nHost: Shop.example:8080\r\n\r\n",
    "POST /a//b/ HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nhi",
    "HEAD /%41/../b HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "OPTIONS /a HTTP/1.1\r\nHost: shop.example\r\n\r\n",
];

/// Of pages of several origins.
const ORIGINS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://a.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: HTTPS://A.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://a.example:8443\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://x.b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://x.y.b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://b.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin: null\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: shop.example\r\nOrigin:\r\n\r\n",
    "OPTIONS / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "OPTIONS / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://a.example\r\n\r\n",
    "OPTIONS /x HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://x.b.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    "OPTIONS / HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://evil.example\r\n\r\n",
];

const HTTPS: &str = "return 308 https://$best_name$bare;";

/// What ingress-nginx writes of CORS with its defaults, of any origin.
const ANY_ORIGIN: &str = "set $http_origin *; set $cors 'true';
            if ($request_method = 'OPTIONS') { set $cors ${cors}options; }
            if ($cors = 'true') {
                add_header Access-Control-Allow-Origin $http_origin always;
                add_header Access-Control-Allow-Credentials true always;
                add_header Access-Control-Allow-Methods 'GET, PUT, POST, DELETE, PATCH, OPTIONS' always;
                add_header Access-Control-Allow-Headers 'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization' always;
                add_header Access-Control-Max-Age 1728000 always;
            }
            if ($cors = 'trueoptions') {
                add_header Access-Control-Allow-Origin $http_origin always;
                add_header Access-Control-Allow-Credentials true always;
                add_header Access-Control-Allow-Methods 'GET, PUT, POST, DELETE, PATCH, OPTIONS' always;
                add_header Access-Control-Allow-Headers 'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization' always;
                add_header Access-Control-Max-Age 1728000 always;
                return 204;
            }";

/// The same with everything set.
const SOME_ORIGINS: &str = "if ($http_origin ~* ((https://a\\.example)|(https://[A-Za-z0-9\\-]+\\.b\\.example)|(null))$ ) { set $cors 'true'; }
            if ($request_method = 'OPTIONS') { set $cors ${cors}options; }
            if ($cors = 'true') {
                add_header Access-Control-Allow-Origin $http_origin always;
                add_header Access-Control-Allow-Methods 'GET, PUT' always;
                add_header Access-Control-Allow-Headers 'X-A,X-B' always;
                add_header Access-Control-Expose-Headers '*, X-C' always;
                add_header Access-Control-Max-Age -1 always;
            }
            if ($cors = 'trueoptions') {
                add_header Access-Control-Allow-Origin $http_origin always;
                add_header Access-Control-Allow-Methods 'GET, PUT' always;
                add_header Access-Control-Allow-Headers 'X-A,X-B' always;
                add_header Access-Control-Expose-Headers '*, X-C' always;
                add_header Access-Control-Max-Age -1 always;
                return 204;
            }";

/// The annotations of that.
macro_rules! some_origins {
    ($($more:expr),*) => {
        &[
            ("enable-cors", "true"),
            ("cors-allow-credentials", "false"),
            ("cors-allow-headers", "X-A,X-B"),
            ("cors-allow-methods", "GET, PUT"),
            ("cors-allow-origin", "https://a.example, https://*.b.example,null"),
            ("cors-expose-headers", "*, X-C"),
            ("cors-max-age", "-1"),
            $($more),*
        ]
    };
}

const EVERYBODY: (&str, &str) = ("denylist-source-range", "0.0.0.0/0,::/0");

macro_rules! probes {
    ($($fields:literal),* $(,)?) => {
        &[$(concat!("GET / HTTP/1.1\r\nHost: shop.example\r\nProbe: ", $fields, "\r\n\r\n")),*]
    };
}

pub(super) const CASES: &[Case] = &[
    Case { name: "https", annotations: &[], location: "", lua: HTTPS, requests: TARGETS },
    Case {
        name: "https-whole",
        annotations: &[("preserve-trailing-slash", "1"), ("force-ssl-redirect", "T")],
        location: "",
        lua: "return 308 https://$best_name$request_uri;",
        requests: TARGETS,
    },
    Case { name: "off", annotations: &[NO_TLS], location: "", lua: "", requests: TARGETS },
    Case {
        name: "permanent",
        annotations: &[("permanent-redirect", "https://new.example/x?y=z")],
        location: "return 301 https://new.example/x?y=z;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "temporal",
        annotations: &[
            ("permanent-redirect", "https://never.example"),
            ("temporal-redirect", "http://new.example"),
            ("temporal-redirect-code", "307"),
        ],
        location: "return 307 http://new.example;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "variables",
        annotations: &[
            ("permanent-redirect", "https://new.example$request_uri"),
            ("permanent-redirect-code", "308"),
        ],
        location: "return 308 https://new.example$request_uri;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "more-variables",
        annotations: &[("permanent-redirect", "${scheme}://x-$host/$http_host$uri$is_args$args")],
        location: "return 301 ${scheme}://x-$host/$http_host$uri$is_args$args;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "same-host",
        annotations: &[("permanent-redirect", "/new")],
        location: "return 301 /new;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "same-host-variable",
        annotations: &[("permanent-redirect", "$uri/new")],
        location: "return 301 $uri/new;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "relative",
        annotations: &[("permanent-redirect", "/new"), ("relative-redirects", "true")],
        location: "absolute_redirect off; return 301 /new;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "no-url",
        annotations: &[("permanent-redirect", "new.example")],
        location: "return 301 new.example;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "not-followed",
        annotations: &[("permanent-redirect", "https://new.example"), ("permanent-redirect-code", "300")],
        location: "return 300 https://new.example;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "not-modified",
        annotations: &[("permanent-redirect", "https://new.example"), ("permanent-redirect-code", "304")],
        location: "return 304 https://new.example;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "redirect-before-access",
        annotations: &[("permanent-redirect", "https://new.example"), EVERYBODY],
        location: "deny all; return 301 https://new.example;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "https-before-access",
        annotations: &[EVERYBODY],
        location: "deny all;",
        lua: HTTPS,
        requests: TARGETS,
    },
    Case {
        name: "any-origin",
        annotations: &[("enable-cors", "true"), NO_TLS],
        location: ANY_ORIGIN,
        lua: "",
        requests: ORIGINS,
    },
    Case {
        name: "some-origins",
        annotations: some_origins!(NO_TLS),
        location: SOME_ORIGINS,
        lua: "",
        requests: ORIGINS,
    },
    Case {
        name: "preflight-before-https",
        annotations: some_origins!(),
        location: SOME_ORIGINS,
        lua: HTTPS,
        requests: ORIGINS,
    },
    Case {
        name: "preflight-before-access",
        annotations: some_origins!(NO_TLS, EVERYBODY),
        location: SOME_ORIGINS,
        lua: "deny all;",
        requests: ORIGINS,
    },
    Case {
        name: "places",
        annotations: &[
            NO_TLS,
            ("proxy-redirect-from", "http://up.example/a"),
            ("proxy-redirect-to", "https://shop.example/b"),
        ],
        location: "proxy_redirect http://up.example/a https://shop.example/b;",
        lua: "",
        requests: probes![
            "Location: http://up.example/a/x",
            "Location: http://up.example/ab",
            "Location: HTTP://up.example/a",
            "Location: http://other.example/a",
            "Location: /x",
            "Refresh: 5; url=http://up.example/a/x",
            "Refresh: 5;URL=http://up.example/a",
            "Refresh: http://up.example/a",
            "Content-Location: http://up.example/a",
        ],
    },
    Case {
        name: "cookies",
        annotations: &[
            NO_TLS,
            ("proxy-cookie-domain", ".up.example shop.example"),
            ("proxy-cookie-path", "/a /b"),
        ],
        location: "proxy_cookie_domain .up.example shop.example; proxy_cookie_path /a /b;",
        lua: "",
        requests: probes![
            "Set-Cookie: a=b",
            "Set-Cookie: a=b;Domain=up.example;Path=/a|Set-Cookie: c=d; path=/ax; HttpOnly",
            "Set-Cookie: a=b; domain = .UP.example ;  Secure ; Max-Age= 5",
            "Set-Cookie: a=b; domain=x.up.example; path=/A",
            "Set-Cookie: a=b; domain=up.examplex;path",
            "Set-Cookie: path=/a; x=y",
            "Set-Cookie: a=b; Path=",
            "Set-Cookie: a=b;;path=/a;",
        ],
    },
    Case {
        name: "cookie-paths",
        annotations: &[NO_TLS, ("proxy-cookie-domain", "off"), ("proxy-cookie-path", "/ /app/")],
        location: "proxy_cookie_domain off; proxy_cookie_path / /app/;",
        lua: "",
        requests: probes![
            "Set-Cookie: a=b; Path=/",
            "Set-Cookie: a=b; Path=/x; Domain=up.example",
            "Set-Cookie: a=b; Path=x",
        ],
    },
];
