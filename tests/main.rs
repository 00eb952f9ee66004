//! Tests are sentences against the real thing, in one binary.

mod browser_walk;
mod cli_audit;
mod cli_backup;
mod cli_folder;
mod cli_restore;
mod cli_world;
mod first_run;
mod runbook;
mod second_factor;
mod sign_in;
mod throttle;
mod webdriver;
mod world;
