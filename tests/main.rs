//! Tests are sentences against the real thing, in one binary.

#[path = "../examples/embed.rs"]
#[allow(dead_code)] // Its `main` is for who runs it.
mod embed;

mod at_once;
mod audit_pages;
mod browser_walk;
mod cli_audit;
mod cli_backup;
mod cli_folder;
mod cli_restore;
mod cli_world;
mod detours;
mod enrolment;
mod faults;
mod first_run;
mod grants;
mod held_up;
mod host_commands;
mod kill;
mod machine;
mod pages;
mod people;
mod profile;
mod routes;
mod runbook;
mod second_factor;
mod serve;
mod sessions;
mod sign_in;
mod structure;
mod throttle;
mod trail;
mod webdriver;
mod window;
mod world;
