//! What endpoints say of places, in the words of the host that clients know.

use std::sync::Arc;

use model::{CookieRewrite, PlaceRewrite, ResponseFilter};

use super::RouteSettings;

/// What is to be rewritten.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamFieldSettings {
    /// What places begin with.
    pub(crate) place_from: Option<Arc<str>>,
    /// What takes its place.
    pub(crate) place_to: Option<Arc<str>>,
    /// Domains and paths of cookies.
    pub(crate) cookies: CookieRewrite,
}

/// The filter for places.
pub(super) fn build_place(asked: &RouteSettings) -> Option<ResponseFilter> {
    let (from, to) = asked.upstream_fields.place_from.clone().zip(asked.upstream_fields.place_to.clone())?;
    Some(ResponseFilter::Place(PlaceRewrite { from, to }))
}

/// The filter for cookies.
pub(super) fn build_cookies(asked: &RouteSettings) -> Option<ResponseFilter> {
    let cookies = &asked.upstream_fields.cookies;
    (*cookies != CookieRewrite::default()).then(|| ResponseFilter::Cookies(cookies.clone()))
}
