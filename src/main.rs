//! Parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    vakt::cli::main()
}
