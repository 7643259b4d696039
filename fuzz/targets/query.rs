#![no_main]
#[path = "../server.rs"]
mod server;
libfuzzer_sys::fuzz_target!(|data: &[u8]| server::query(data));
