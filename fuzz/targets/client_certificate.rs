//! libFuzzer's end of [`fuzz::client_certificate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::client_certificate::check(data));
