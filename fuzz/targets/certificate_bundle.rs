//! libFuzzer's end of [`fuzz::certificate_bundle`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::certificate_bundle::check(data));
