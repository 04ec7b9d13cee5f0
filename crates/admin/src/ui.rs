//! The live page: a file of HTML, one of CSS and some of JavaScript, which ask the other pages and change nothing. They are
//! part of the program, load nothing from elsewhere, and are built by nothing.

use http::HeaderValue;

/// Nothing from elsewhere is loaded or asked, nothing within the HTML is run, and no other page may show this one.
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// A file of the page.
#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) content_type: &'static str,
    pub(crate) text: &'static str,
}

const fn script(text: &'static str) -> File {
    File { content_type: "text/javascript; charset=utf-8", text }
}

pub(crate) const PAGE: File =
    File { content_type: "text/html; charset=utf-8", text: include_str!("ui/page.html") };
pub(crate) const STYLE: File =
    File { content_type: "text/css; charset=utf-8", text: include_str!("ui/page.css") };
pub(crate) const DATA: File = script(include_str!("ui/data.js"));
pub(crate) const LIST: File = script(include_str!("ui/list.js"));
pub(crate) const MAIN: File = script(include_str!("ui/main.js"));
pub(crate) const VERDICT: File = script(include_str!("ui/verdict.js"));
