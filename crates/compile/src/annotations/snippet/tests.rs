//! What comes of whole snippets.

use super::*;

fn read_at(place: Place, value: &str) -> (RouteSettings, Vec<Fault>) {
    let mut settings = RouteSettings::default();
    let annotation = Annotation { name: "x/snippet", value, namespace: "shop" };
    let reader = if place == Place::Location { location } else { server };
    let faults = reader(&annotation, &mut settings).err().unwrap_or_default();
    if let Some(snippet) = settings.host_snippet.take() {
        snippet.apply(&mut settings);
    }
    (settings, faults)
}

/// The edits of requests and of answers, as they are shown.
fn edits(value: &str) -> (String, String) {
    let (settings, faults) = read_at(Place::Location, value);
    assert!(faults.is_empty(), "{value}: {faults:?}");
    let list = model::HeaderEdit::list;
    (list(&settings.request_headers), list(&settings.response_headers))
}

#[test]
fn directives_about_fields_become_edits_in_the_order_in_which_nginx_makes_them() {
    let (request, response) = edits(
        "add_header X-Frame-Options SAMEORIGIN;\n\
         add_header X-Always 'a b' always;\n\
         more_set_headers \"X-Set: one; two\" 'X-Gone:';\n\
         more_clear_headers Server X-Powered-By;\n\
         proxy_hide_header X-Hidden;\n\
         proxy_set_header X-To \"endpoint\";\n\
         proxy_set_header Accept-Encoding \"\";\n\
         more_set_input_headers 'X-In: put';",
    );
    assert_eq!(
        response,
        "remove x-hidden, set x-set: \"one; two\", remove x-gone, remove server, remove x-powered-by, \
         add x-frame-options: \"SAMEORIGIN\" unless error, add x-always: \"a b\""
    );
    assert_eq!(request, "set x-to: \"endpoint\", remove accept-encoding, set x-in: \"put\"");
}

#[test]
fn what_many_write_for_websockets_and_buffers_asks_for_nothing() {
    let nothing = (String::new(), String::new());
    let value = "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";\n\
                 proxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\n\
                 proxy_set_header X-Forwarded-Proto $scheme;\nproxy_http_version 1.1;\nproxy_buffering off;";
    assert_eq!(edits(value), nothing);
}

#[test]
fn rules_for_addresses_become_lists_and_an_order_that_these_cannot_say_denies() {
    for (value, expected) in [
        ("allow 10.0.0.0/8; deny all;", Some((0, 1))),
        ("deny 192.0.2.1; allow 10.0.0.0/8; allow ::1; deny all;", Some((1, 2))),
        ("deny 192.0.2.1;", Some((1, 0))),
        ("deny 192.0.2.1; allow all;", Some((1, 0))),
        ("allow 10.0.0.0/8;", Some((0, 0))),
        ("deny all;", Some((2, 0))),
        ("allow 10.0.0.0/8; deny 10.1.0.0/16; deny all;", None),
        ("allow unix:; deny all;", None),
        ("deny 192.0.2.1; auth_basic x;", None),
    ] {
        let (settings, faults) = read_at(Place::Location, value);
        let found = faults.is_empty().then_some((settings.deny.len(), settings.allow.len()));
        assert_eq!(found, expected, "{value}");
        assert_eq!(expected.is_none(), faults.iter().any(Fault::denies), "{value}: {faults:?}");
    }
}

#[test]
fn of_a_snippet_that_is_not_read_whole_nothing_holds_and_one_that_may_guard_denies() {
    for (value, denies) in [
        ("more_set_headers 'X-A: b'; sub_filter a b;", false),
        ("more_set_headers 'X-A: $request_time';", false),
        ("more_set_headers -s 404 'X-A: b';", false),
        ("add_header Content-Length 5;", false),
        ("proxy_set_header X-Forwarded-For 127.0.0.1;", false),
        ("more_set_headers 'X-A: b'; if ($http_x = '') { return 403; }", true),
        ("location /admin { deny all; }", true),
        ("auth_basic 'x';", true),
        ("access_by_lua_block { ngx.exit(403) }", true),
        ("return 404;", true),
        ("return 301 https://example.com/$no_such;", true),
        ("if ($scheme = http) { return 301 https://other.example$request_uri; }", true),
        ("proxy_read_timeout 1fortnight;", false),
        ("something_new on;", true),
        ("} location / {", true),
        ("more_set_headers 'X-A: b'", true),
    ] {
        let (settings, faults) = read_at(Place::Location, value);
        assert!(!faults.is_empty() && settings.response_headers.is_empty(), "{value}");
        assert!(settings.request_headers.is_empty(), "{value}");
        assert_eq!(faults.iter().any(Fault::denies), denies, "{value}: {faults:?}");
    }
}

#[test]
fn what_annotations_say_in_other_words_is_read_by_their_readers() {
    let (settings, faults) = read_at(
        Place::Location,
        "client_max_body_size 8m;\nproxy_connect_timeout 7s;\nproxy_send_timeout 1m;\n\
         if ($scheme = http) { return 301 https://$host$request_uri; }",
    );
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(settings.size.request_body_max, Some(8 << 20));
    assert_eq!(settings.timeouts.connect.map(|time| time.as_secs()), Some(7));
    assert_eq!(settings.timeouts.send.map(|time| time.as_secs()), Some(60));
    let redirect = &settings.redirect;
    assert_eq!((redirect.force_https, redirect.drop_trailing_slash, redirect.status), (true, false, 301));
    for value in ["return 302 https://example.com$request_uri;", "return 301 \"https://example.com/a\";"] {
        let (settings, faults) = read_at(Place::Server, value);
        assert!(faults.is_empty() && settings.redirect.permanent.is_some(), "{value}: {faults:?}");
    }
    for place in [Place::Location, Place::Server] {
        let (settings, faults) = read_at(place, "allow 10.0.0.0/8; deny all; return 403;");
        assert_eq!((settings.deny.len(), faults.len()), (2, 0), "rules for addresses change nothing of that");
    }
}

#[test]
fn for_a_host_nothing_holds_that_ingress_nginx_writes_for_each_path() {
    let (settings, faults) = read_at(Place::Server, "proxy_read_timeout 5; proxy_set_header X-A b;");
    assert_eq!((settings.timeouts.response, settings.request_headers.len()), (None, 0));
    assert!(faults.iter().all(|fault| fault.reason == reasons::NO_EFFECT) && faults.len() == 2);
    let (settings, faults) = read_at(Place::Location, "proxy_read_timeout 5m;");
    assert_eq!((settings.timeouts.response.map(|time| time.as_secs()), faults.len()), (Some(300), 0));
}
