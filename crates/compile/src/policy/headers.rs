//! Edits of heads.

use model::{HeaderEdit, RequestFilter, ResponseFilter};

use super::RouteSettings;

/// The filter that edits requests.
pub(super) fn build_request(asked: &RouteSettings) -> Option<RequestFilter> {
    some(&asked.request_headers).map(RequestFilter::Headers)
}

/// The filter that edits responses.
pub(super) fn build_response(asked: &RouteSettings) -> Option<ResponseFilter> {
    some(&asked.response_headers).map(ResponseFilter::Headers)
}

fn some(edits: &[HeaderEdit]) -> Option<Vec<HeaderEdit>> {
    (!edits.is_empty()).then(|| edits.to_vec())
}
