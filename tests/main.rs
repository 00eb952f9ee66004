//! Tests are sentences against the real thing, in one binary.

mod at_once;
mod audit_pages;
mod cli_audit;
mod cli_backup;
mod cli_folder;
mod cli_restore;
mod cli_world;
mod detours;
mod grants;
mod people;
mod runbook;
mod trail;
mod webdriver;
mod window;
mod world;
