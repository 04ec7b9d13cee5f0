//! What is asked: annotations, what ingress-nginx writes of them, and requests.

/// Annotations and requests to a route that has them.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) annotations: &'static [(&'static str, &'static str)],
    /// The same in the location of nginx.
    pub(super) location: &'static str,
    /// And beside it.
    pub(super) server: &'static str,
    /// And in the location that asks another server.
    pub(super) question: &'static str,
    /// What that asks.
    pub(super) target: &'static str,
    /// Heads, without their end. The field `word` has what the other server answers, `probe` what the endpoint does.
    pub(super) requests: &'static [&'static str],
}

/// What htpasswd has written: the password of each is `secret`.
pub(super) const PASSWORDS: &str = "# a comment
bcrypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
apr1:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0
md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//:and more
sha1:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0
sha512:$6$rounds=1500$abc$F2.P6iSAFLF.06eJJhrWJrLoNFr9TdmGOJ3HNhFCs4KFYVW3TBrMkDC4CRKRjihyhxez15iQzKMjQRhcJcFz90
des:rlcg0.fZequS.
plain:{PLAIN}secret
plain:{PLAIN}other
";

const NO_QUESTION: &str = "";
const NOWHERE: &str = "http://SERVER/";
const QUESTION: &str = "proxy_set_header X-Auth-Request-Redirect $request_uri;";
pub(super) const CASES: &[Case] = &[
    Case {
        name: "passwords",
        annotations: &[
            ("auth-type", "basic"),
            ("auth-secret", "passwords"),
            ("auth-realm", "Authentication Required - shop"),
        ],
        location: "auth_basic \"Authentication Required - shop\"; auth_basic_user_file passwords;
            proxy_set_header Authorization \"\";",
        server: "",
        question: NO_QUESTION,
        target: NOWHERE,
        requests: &[
            "GET /a HTTP/1.1\r\nHost: shop.example",
            "HEAD /a HTTP/1.1\r\nHost: shop.example",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic YmNyeXB0OnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic YmNyeXB0Ondyb25n",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: basic YXByMTpzZWNyZXQ=",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic YXByMTpzZWNyZXQ",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic YXByMTp3cm9uZw==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic bWQ1OnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic c2hhMTpzZWNyZXQ=",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic c3NoYTpzZWNyZXQ=",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic c2hhNTEyOnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic ZGVzOnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic cGxhaW46b3RoZXI=",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic bm9ib2R5OnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic OnNlY3JldA==",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic !!",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer YXByMTpzZWNyZXQ=",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic",
        ],
    },
    Case {
        name: "any-denied",
        annotations: &[
            ("auth-type", "basic"),
            ("auth-secret", "shop/passwords"),
            ("satisfy", "any"),
            ("whitelist-source-range", "192.0.2.0/24"),
        ],
        location: "allow 192.0.2.0/24; deny all; auth_basic \"\"; auth_basic_user_file passwords; satisfy any;
            proxy_set_header Authorization \"\";",
        server: "",
        question: NO_QUESTION,
        target: NOWHERE,
        requests: &[
            "GET /a HTTP/1.1\r\nHost: shop.example",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic cGxhaW46b3RoZXI=",
        ],
    },
    Case {
        name: "all-allowed",
        annotations: &[("auth-type", "basic"), ("auth-secret", "passwords"), ("whitelist-source-range", "127.0.0.0/8")],
        location: "allow all; deny all; auth_basic \"\"; auth_basic_user_file passwords;
            proxy_set_header Authorization \"\";",
        server: "",
        question: NO_QUESTION,
        target: NOWHERE,
        requests: &[
            "GET /a HTTP/1.1\r\nHost: shop.example",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
        ],
    },
    Case {
        name: "any-allowed",
        annotations: &[
            ("auth-url", "http://SERVER/check"),
            ("satisfy", "any"),
            ("whitelist-source-range", "127.0.0.0/8"),
        ],
        location: "allow all; deny all; auth_request /_external-auth; satisfy any;",
        server: "",
        question: QUESTION,
        target: "http://SERVER/check",
        requests: &["GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401"],
    },
    Case {
        name: "server",
        annotations: &[
            ("auth-url", "http://SERVER/check?host=$host&scheme=$scheme&from=$request_uri"),
            ("auth-response-headers", "X-User,X-Groups, Authorization"),
        ],
        location: "auth_request /_external-auth; auth_request_set $auth_cookie $upstream_http_set_cookie;
            add_header Set-Cookie $auth_cookie;
            auth_request_set $authHeader0 $upstream_http_x_user; proxy_set_header 'X-User' $authHeader0;
            auth_request_set $authHeader1 $upstream_http_x_groups; proxy_set_header 'X-Groups' $authHeader1;
            auth_request_set $authHeader2 $upstream_http_authorization; proxy_set_header 'Authorization' $authHeader2;",
        server: "",
        question: QUESTION,
        target: "http://SERVER/check?host=$host&scheme=$scheme&from=$request_uri",
        requests: &[
            "GET /a/%2Fb?c=d&e HTTP/1.1\r\nHost: Shop.example:81",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 204|X-User: alice|Authorization: Bearer x",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nX-User: mallory\r\nX-Groups: root\r\nAuthorization: Basic eDp5",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 202|X-User: ",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401|WWW-Authenticate: Bearer realm=\"x\"|Set-Cookie: a=1",
            "HEAD /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403|WWW-Authenticate: Bearer|Set-Cookie: a=1",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 302|Location: http://login.example/",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 404",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 500",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 429",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 200",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 200|Set-Cookie: own=1",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 302",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 404",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 202",
            "POST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0",
            "DELETE /a HTTP/1.1\r\nHost: shop.example\r\nCookie: b=c; d\r\nAccept: */*\r\nX-Forwarded-Proto: https",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nKeep-Alive: 5\r\nTE: trailers\r\nConnection: TE",
            "OPTIONS /a HTTP/1.1\r\nHost: shop.example\r\nOrigin: http://a\r\nAccess-Control-Request-Method: PUT",
        ],
    },
    Case {
        name: "sign-in",
        annotations: &[
            ("auth-url", "http://SERVER/oauth2/auth"),
            ("auth-signin", "https://login.example/oauth2/start?rd=$scheme://$http_host$request_uri"),
        ],
        location: "auth_request /_external-auth; auth_request_set $auth_cookie $upstream_http_set_cookie;
            add_header Set-Cookie $auth_cookie; error_page 401 = @sign_in;",
        server: "location @sign_in { internal; add_header Set-Cookie $auth_cookie;
            return 302 https://login.example/oauth2/start?rd=$scheme://$http_host$request_uri; }",
        question: QUESTION,
        target: "http://SERVER/oauth2/auth",
        requests: &[
            "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nWord: 401|Set-Cookie: csrf=1",
            "GET /a HTTP/1.1\r\nHost: shop.example:8080\r\nWord: 401|WWW-Authenticate: Bearer",
            "POST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nWord: 401",
            "HEAD /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403|Set-Cookie: csrf=1",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 500",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nCookie: session=1",
        ],
    },
    Case {
        name: "method",
        annotations: &[
            ("auth-url", "http://SERVER/"),
            ("auth-method", "POST"),
            ("auth-request-redirect", "http://other.example/$request_method"),
            ("auth-always-set-cookie", "true"),
        ],
        location: "auth_request /_external-auth; auth_request_set $auth_cookie $upstream_http_set_cookie;
            add_header Set-Cookie $auth_cookie always;",
        server: "",
        question: "proxy_method POST; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Scheme $scheme;
            proxy_set_header X-Auth-Request-Redirect http://other.example/$request_method;",
        target: "http://SERVER/",
        requests: &[
            "PUT /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200|Set-Cookie: a=1\r\nProbe: 404",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401|Set-Cookie: a=1",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403|Set-Cookie: a=1",
        ],
    },
    Case {
        name: "both",
        annotations: &[("auth-type", "basic"), ("auth-secret", "passwords"), ("auth-url", "http://SERVER/")],
        location: "auth_request /_external-auth; auth_basic \"\"; auth_basic_user_file passwords;
            proxy_set_header Authorization \"\";",
        server: "",
        question: QUESTION,
        target: "http://SERVER/",
        requests: &[
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
        ],
    },
    Case {
        name: "either",
        annotations: &[
            ("auth-type", "basic"),
            ("auth-secret", "passwords"),
            ("auth-url", "http://SERVER/"),
            ("satisfy", "any"),
        ],
        location: "auth_request /_external-auth; auth_basic \"\"; auth_basic_user_file passwords; satisfy any;
            proxy_set_header Authorization \"\";",
        server: "",
        question: QUESTION,
        target: "http://SERVER/",
        requests: &[
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 401|WWW-Authenticate: Bearer",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 403\r\nAuthorization: Basic cGxhaW46c2VjcmV0",
            "GET /a HTTP/1.1\r\nHost: shop.example\r\nWord: 200\r\nAuthorization: Basic cGxhaW46b3RoZXI=",
        ],
    },
];
