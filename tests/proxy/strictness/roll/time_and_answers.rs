//! What is late, and what upstreams answer.

use super::{Row, elsewhere, here};

pub(super) const ROWS: &[Row] = &[
    elsewhere(108, "a slow head", "408, close", "proxy/limits/slow.rs", "a_head_that_is_not_whole_in_time_is_408_however_busily_it_comes"),
    elsewhere(109, "a slow body", "408, close", "proxy/limits/slow.rs", "a_body_that_drips_is_408_however_busily_it_comes"),
    elsewhere(110, "an answer that is not taken", "cut", "proxy/limits/slow.rs", "a_client_that_does_not_take_its_answer_is_cut_and_little_of_it_was_read"),
    elsewhere(111, "silence between requests", "closed after 75 s", "proxy/idle.rs", "an_idle_connection_outlasts_every_other_deadline_and_by_default_that_of_a_load_balancer"),
    elsewhere(112, "an answer shorter than its length", "cut, and the connection is not used again", "proxy/upstreams/answers.rs", "an_answer_that_breaks_off_never_looks_whole"),
    elsewhere(113, "an answer longer than its length", "the rest is dropped", "proxy/upstreams/answers.rs", "bytes_behind_an_answer_never_become_the_answer_to_the_next_request"),
    here(114, "an answer whose framing is unclear", "502"),
    elsewhere(115, "an answer whose chunks end early", "cut", "proxy/upstreams/answers.rs", "an_answer_that_breaks_off_never_looks_whole"),
    elsewhere(116, "a body that must not be there", "dropped", "proxy/forwarding/responses.rs", "a_body_that_must_not_be_there_is_dropped"),
    here(117, "preliminary answers without end", "502").but("the limit is on their bytes, as on any head's, and not on their number"),
    here(118, "101 unasked", "502"),
    here(119, "an answer's head that is too long", "502"),
    here(120, "a malformed status line", "502"),
    here(121, "a malformed field in an answer", "502").but("lines that end in LF are read and sent on with CRLF (RFC 9112 §2.2): old servers write them, and no client can"),
    elsewhere(122, "bytes on an idle connection", "no answer", "proxy/limits/responses.rs", "bytes_on_an_idle_connection_are_no_answer"),
    elsewhere(123, "a connection that dies as it is used again", "tried again if that is safe", "proxy/upstreams/retries.rs", "a_get_that_meets_a_pooled_connection_as_it_dies_is_answered"),
    elsewhere(124, "an answer before its request is whole", "sent, and both connections end", "proxy/upstreams/answers.rs", "an_answer_that_comes_before_its_request_is_whole_says_that_the_connection_ends"),
    elsewhere(125, "plain text from an upstream of TLS", "502", "proxy/grpc.rs", "an_endpoint_that_speaks_no_tls_is_not_sent_a_request"),
    elsewhere(126, "compressed answers", "as they came", "proxy/forwarding/responses.rs", "an_answer_is_on_the_wire_as_others_write_it").but("nothing is compressed or decompressed, so no ETag is weakened"),
];
