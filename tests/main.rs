//! Tests are sentences against the real thing, in one binary.

mod cli_audit;
mod cli_backup;
mod cli_folder;
mod cli_restore;
mod cli_world;
mod first_run;
mod runbook;
mod sign_in;
mod webdriver;
mod world;
