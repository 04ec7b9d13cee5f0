//! libFuzzer's end of [`fuzz::upstream_answer`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::upstream_answer::check(data));
