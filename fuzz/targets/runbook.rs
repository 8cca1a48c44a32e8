#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drctl_fuzz::runbook(bytes);
});
