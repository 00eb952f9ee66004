//! Tests are sentences against the real thing, in one binary.

mod cli_audit;
mod cli_backup;
mod cli_folder;
mod cli_restore;
mod cli_world;
mod faults;
mod host_commands;
mod runbook;
mod serve;
mod served;
mod structure;
mod webdriver;
mod world;
