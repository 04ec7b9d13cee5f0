//! libFuzzer's end of [`fuzz::request_host`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::request_host::check(data));
