//! libFuzzer's end of [`fuzz::header_fields`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::header_fields::check(data));
