//! libFuzzer's end of [`fuzz::snippet`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::snippet::check(data));
