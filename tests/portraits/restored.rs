//! What was taken from a record does not come back with an older backup.

use idp::audit::Action;

use super::{NOTE, address, photo, put_well, send};
use crate::carry_over::{Room, back_up, office};
use crate::world::body;

#[test]
fn a_photo_and_a_note_that_were_removed_since_the_backup_stay_removed() {
    let (world, mut ada, _) = office();
    let [mara, jonas, lena] = ["mara", "jonas", "lena"]
        .map(|name| world.person(&mut ada, &format!("{name}@fernhill.example"), name, "member").id);
    for person in [&mara, &jonas, &lena] {
        put_well(&mut ada, person, &photo());
    }
    let backup = back_up(&world, "old.db");
    for (person, note) in [(&mara, ""), (&jonas, NOTE)] {
        assert_eq!(ada.get(&address(person)).status, 200);
        assert_eq!(send(&mut ada, person, None, &[("remove", "on"), ("id_note", note)]).status, 303);
    }
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    assert!(said.contains("kept: 3 photos or notes about an ID that were removed since stay removed"), "{said}");
    let after = room.open(&world);
    let has = |id: &str, what: &str| {
        after.count(&format!("SELECT count(*) FROM portraits WHERE user_id = '{id}' AND {what}")) == 1
    };
    let (photo, note) = ("jpeg IS NOT NULL", "id_note <> ''");
    assert!(!has(&mara, "1"));
    assert!(!has(&jonas, photo) && has(&jonas, note));
    assert!(has(&lena, photo) && has(&lena, note));
    assert_eq!(body(&after.entries_of(Action::SystemRestored)[0]).fact("portraits_removed"), "3");
}
