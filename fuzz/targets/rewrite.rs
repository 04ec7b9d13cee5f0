//! libFuzzer's end of [`fuzz::rewrite`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rewrite::check(data));
