//! Parse, run, exit code.

use std::process::ExitCode;

/// How many arenas it has and how soon they give memory back is said in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    vakt::cli::main()
}
