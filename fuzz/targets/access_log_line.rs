//! libFuzzer's end of [`fuzz::access_log_line`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::access_log_line::check(data));
