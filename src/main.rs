//! The `mxray` command: a thin shell around the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Thousands of handshakes at a time allocate and free on every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a survey keeps is small and scattered over the pages of the allocator, which
/// asks for pages of 2 MiB: whoever touches one byte of such a page has all of it
/// resident. Where the system will not, only memory is lost.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn main() -> ExitCode {
    use_small_pages();
    let arguments: Vec<_> = std::env::args_os().collect();
    match mxray::internals::command::parse(&arguments) {
        Ok(cli) => mxray::internals::command::run(cli),
        Err(code) => code,
    }
}
