//! Before anybody is at work: the host's own commands.

use std::path::PathBuf;

use idp::time::Clock;

use super::day::Day;
use crate::carry_over::back_up;
use crate::cli_world::idp_on;

/// Copies the key and the database; where the copy is.
pub fn early(day: &mut Day) -> PathBuf {
    let key = day.world.data().with_file_name("kept.key");
    idp_on(&day.world.data(), &["key", "export", "-o", key.to_str().unwrap()]).done();
    let secret = std::fs::read_to_string(&key).unwrap();
    day.secret(secret.split_whitespace().last().unwrap());
    let backup = back_up(&day.world, "early.db");
    idp_on(&day.world.data(), &["audit", "key", "rotate"]).done();
    // The host's clock went on while its commands ran.
    day.world.clock.set(Clock::System.now());
    let signed = "audit.checkpoint_signed";
    assert_eq!(day.told(), ["system.key_exported", "backup.created", signed, "audit.key_rotated", signed]);
    backup
}
