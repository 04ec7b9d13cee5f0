//! libFuzzer's end of [`fuzz::password_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::password_file::check(data));
