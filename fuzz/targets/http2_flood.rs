//! libFuzzer's end of [`fuzz::http2_flood`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::http2_flood::check(data));
