//! Compression of answers.

use std::sync::Arc;

use model::{Compression, ResponseFilter};

use super::RouteSettings;

/// ingress-nginx' `gzip-types`, and what nginx compresses in any case.
const TYPES: [&str; 18] = [
    "application/atom+xml",
    "application/javascript",
    "application/json",
    "application/rss+xml",
    "application/vnd.ms-fontobject",
    "application/x-font-ttf",
    "application/x-javascript",
    "application/x-web-app-manifest+json",
    "application/xhtml+xml",
    "application/xml",
    "font/opentype",
    "image/svg+xml",
    "image/x-icon",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/x-component",
];
/// Its `gzip-level`.
const LEVEL: u8 = 1;
/// Its `gzip-min-length`.
const LENGTH_MIN: u64 = 256;

/// Compression of answers.
#[derive(Clone, Debug)]
pub(crate) struct CompressSettings {
    /// Whether any is compressed (`use-gzip`).
    pub(crate) is_on: bool,
    /// From 1 to 9.
    pub(crate) level: u8,
    /// Those that say a shorter length are not.
    pub(crate) length_min: u64,
    /// The types of content, in lower case.
    pub(crate) types: Arc<[Box<str>]>,
}

impl Default for CompressSettings {
    fn default() -> CompressSettings {
        let types = TYPES.map(Box::from).into();
        CompressSettings { is_on: false, level: LEVEL, length_min: LENGTH_MIN, types }
    }
}

/// The filter that compresses, if it is asked for.
pub(super) fn build(asked: &RouteSettings) -> Option<ResponseFilter> {
    let CompressSettings { is_on, level, length_min, types } = &asked.compress;
    let compression = || Compression { level: *level, length_min: *length_min, types: Arc::clone(types) };
    is_on.then(|| ResponseFilter::Compress(compression()))
}
