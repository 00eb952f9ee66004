//! The host is lost: the early backup is restored on another, and an owner confirms who is there.

use std::path::Path;
use std::time::Duration;

use super::day::Day;
use crate::carry_over::Room;
use crate::world::{PASSWORD, World};

/// What goes on from the backup.
pub fn night(day: &Day, backup: &Path) -> World {
    let room = Room::empty();
    std::fs::copy(day.world.data().join("seed.key"), room.data().join("seed.key")).unwrap();
    room.restore(backup, &[]);
    day.world.later(Duration::from_secs(8 * 3_600));
    let world = room.open(&day.world);
    let before = world.story_since(0);
    assert_eq!(before[before.len() - 2..], ["system.restored success", "audit.checkpoint_signed success"]);
    let before = world.head();
    let mut ada = world.browser();
    assert_eq!(ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &day.phone).status, 303);
    ada.get("/admin/users/confirm");
    assert_eq!(ada.post("/admin/users/confirm", &[]).status, 303);
    let told = ["user.password_verified success", "user.signed_in success", "system.people_confirmed success"];
    assert_eq!(world.story_since(before), told);
    world
}
