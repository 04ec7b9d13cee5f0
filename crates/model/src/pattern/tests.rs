use super::*;

fn path(written: &str) -> Pattern {
    Pattern::of_path(written, false).unwrap_or_else(|error| panic!("{written}: {error}"))
}

#[test]
fn a_pattern_of_paths_matches_from_their_beginning_and_need_not_reach_their_end() {
    for (written, matching, other) in [
        ("/a", "/a/b", "/x/a"),
        ("^/a$", "/a", "/a/"),
        ("/a|/b", "/b", "/x/b"),
        ("/api/v[0-9]+/", "/api/v12/x", "/api/vx/"),
        ("/[^/]+/b$", "/a/b", "/a/a/b"),
    ] {
        assert!(path(written).matches(matching) && !path(written).matches(other), "{written}");
    }
}

#[test]
fn case_counts_unless_it_is_to_be_ignored() {
    assert!(!path("/Api").matches("/aPI"));
    let ignoring = Pattern::of_path("/Api", true).expect("a pattern");
    assert!(ignoring.matches("/aPI"));
    assert_ne!(ignoring, path("/Api"));
    assert_eq!((ignoring.as_str(), path("/Api")), ("/Api", path("/Api")));
}

#[test]
fn the_groups_of_a_match_are_known() {
    let pattern = path("/(?P<first>[^/]+)(/|$)(.*)|/");
    let captures = pattern.captures(b"/shop/cart/1").expect("a match");
    let groups = [0, 1, 3].map(|group| captures.get(group));
    assert_eq!(groups, [&b"/shop/cart/1"[..], b"shop", b"cart/1"].map(Some));
    let named = captures.name("first");
    assert_eq!((named, captures.get(4), captures.range()), (Some(&b"shop"[..]), None, 0..12));
    assert_eq!(pattern.captures(b"/").expect("a match").get(1), None);
    assert!(pattern.captures(b"x").is_none());
}

#[test]
fn a_pattern_of_a_location_is_passed_over_by_what_it_begins_with_and_by_no_more() {
    for (path, prefix) in
        [("/a", "/a"), ("/a(/|$)", ""), ("/ab?c", "/a"), ("/ab[cd]", "/ab"), ("/a\\.b", "/a"), ("/é*", "/")]
    {
        let pattern = Pattern::of_location(path, path).expect("a pattern");
        assert_eq!((&*pattern.0.prefix, pattern.size() == 0), (prefix, prefix == path), "{path}");
    }
    for (path, matching, other) in [
        ("/Foo", "/fOObar", "/fo"),
        ("/a.b", "/AxB", "/ab"),
        ("/ab?c", "/ac", "/abb"),
        // As nginx has it: the anchor is the first alternative's.
        ("/a|/b", "/x/b", "/x/a"),
    ] {
        let pattern = Pattern::of_location(path, path).expect("a pattern");
        assert!(pattern.matches(matching) && !pattern.matches(other), "{path}");
    }
}

#[test]
fn a_pattern_of_values_may_match_anywhere() {
    let pattern = Pattern::of_value("v[12]\\b").expect("a pattern");
    assert!(pattern.matches("\u{e9} v2") && !pattern.matches("v23"));
}

#[test]
fn what_is_too_large_or_no_pattern_is_refused() {
    let refused = |written: &str| Pattern::of_path(written, false).expect_err(written);
    assert_eq!(refused(&format!("/{}", "a".repeat(2000))), PatternError::TooLong);
    assert_eq!(refused("/(([a-z]{100}){100}){100}"), PatternError::TooLarge);
    assert_eq!(refused("/caf\u{e9}"), PatternError::Byte);
    for written in ["/a)|(/b", "/(a", "/(a)\\1", "/(?=a)", "/(?!a)", "/[", "/a{2,1}"] {
        assert!(matches!(refused(written), PatternError::Syntax(_)), "{written}");
    }
    assert!(matches!(refused(&"(".repeat(100)), PatternError::Syntax(_)));
}

#[test]
fn the_patterns_of_usual_rules_are_small_enough() {
    for written in [
        "/something(/|$)(.*)",
        "/(?:[a-z0-9-]{1,63})/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(.*)",
        "/(en|de|fr)/[\\w.%+-]{1,255}\\.(?:html|json|css|js|png|jpe?g|gif|svg|woff2?)$",
    ] {
        assert!(Pattern::of_path(written, true).is_ok(), "{written}");
    }
}
