//! TLS.

use super::{Row, elsewhere, nowhere};

pub(super) const ROWS: &[Row] = &[
    elsewhere(147, "a host with another certificate", "421", "proxy/secure.rs", "a_host_with_another_certificate_is_misdirected_and_one_with_the_same_is_not"),
    elsewhere(148, "no name, or an unknown one", "the default certificate, or an alert", "proxy/secure/handshake.rs", "a_name_without_a_certificate_is_refused_with_an_alert"),
    elsewhere(149, "versions before TLS 1.2", "an alert", "proxy/secure/hellos.rs", "versions_before_12_and_compression_get_an_alert"),
    elsewhere(150, "data that could be sent again, compression", "not allowed", "proxy/secure/hellos.rs", "no_client_may_send_data_that_could_be_sent_again"),
    elsewhere(151, "a first message without end, or in pieces", "closed", "proxy/secure/hellos.rs", "a_first_message_without_end_is_given_up"),
    elsewhere(152, "handshakes that are not done", "given up", "proxy/secure/handshake.rs", "where_too_many_dawdle_the_oldest_is_given_up_and_the_honest_are_served"),
    elsewhere(153, "a certificate that is spoilt", "the last good one is kept", "../crates/controller/tests/live/certificates.rs", "a_renewed_certificate_is_live_and_a_spoilt_one_keeps_the_last"),
    nowhere(154, "a session resumed for a host that asks for more", "nothing to get around").but("clients' certificates are not asked for, so all hosts ask for the same; a session of one certificate is still held to 147"),
    elsewhere(155, "no TLS at all", "told so, or closed", "proxy/secure/handshake.rs", "a_client_without_tls_is_told_so"),
    nowhere(156, "tlsfuzzer", "no failure").but("its scripts are not run here: the protocol is rustls', which has its own"),
    elsewhere(157, "an end without TLS' word for it", "not whole", "proxy/secure.rs", "a_body_that_ends_with_the_connection_is_not_whole_and_is_not_passed_on_as_such"),
];
