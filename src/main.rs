//! The thin binary: parse, run, print the error chain once, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match idp::cli::parse(std::env::args_os()) {
        Ok(command) => command.run().map_or_else(|failure| failure.report(), ExitCode::from),
        Err(usage) => idp::cli::explain(&usage),
    }
}
