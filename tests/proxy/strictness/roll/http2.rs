//! HTTP/2.

use super::{Row, elsewhere, here};

pub(super) const ROWS: &[Row] = &[
    here(127, "requests that are taken back at once", "the connection ends"),
    here(128, "requests that we are made to reset", "the connection ends"),
    here(129, "CONTINUATION without end", "the connection ends"),
    here(130, "many fields that cost nothing to send", "431 beyond 256, crumbs of cookies included"),
    here(131, "frames that carry nothing", "the connection ends").but("of PING, SETTINGS and PRIORITY nothing is kept: h2 reads no further until its answers are written"),
    elsewhere(132, "a window of zero", "the stream is reset", "proxy/http2/end.rs", "a_client_that_takes_no_answer_is_reset_and_others_on_the_connection_are_served"),
    here(133, "too many requests at a time", "refused one by one").but("a client that goes on is refused again, and not sent away: its settings may be on their way"),
    here(134, "a name in capitals", "malformed: nothing is sent on").but("h2 ends the connection, as RFC 9113 §5.4.2 allows"),
    here(135, "control characters in a value", "malformed: nothing is sent on").but("as above"),
    here(136, "a malformed name, white space around a value", "malformed, or trimmed").but("as above"),
    here(137, "a malformed path", "malformed, or 400; what must be escaped is, as in 91").but("h2 cuts a fragment off before we see it: what is routed by is what is sent on. And it resets a stream for < and >, \" in a query, ` in a path, and bytes that are no UTF-8"),
    here(138, "a malformed method or scheme", "malformed, or 400").but("as above"),
    here(139, "a host that is not the authority", "400"),
    here(140, "no authority, or a malformed one", "malformed, or 400"),
    here(141, "fields of HTTP/1's connections", "malformed"),
    here(142, "a length that is not the body's", "malformed: never whole upstream").but("where the body has reached its length and more comes, the upstream has a whole request; what is more is not sent on"),
    here(143, "pseudo-fields that are missing, doubled, late or unknown", "malformed").but("first in trailers, h2 drops them without a word: we never see them"),
    here(144, "CONNECT, extended or not", "malformed, or 405"),
    elsewhere(145, "malformed frames", "the connection ends, or the stream", "../crates/app/tests/whole_process/conformance.rs", "h2spec_passes_in_strict_mode_with_tls_and_without"),
    elsewhere(146, "a request that is given up", "its upstream connection ends", "proxy/http2.rs", "a_client_that_gives_a_request_up_frees_the_endpoint"),
];
