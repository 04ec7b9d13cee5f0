//! libFuzzer's end of [`fuzz::ingress_object`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::ingress_object::check(data));
