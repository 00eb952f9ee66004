//! A notice in plain words, to the person whom it is about.

use super::{Kind, Notice};

impl Notice {
    /// What happened, as the beginning of a sentence that goes on with when and by whom. Empty for what owners are told
    /// about others.
    pub fn what_happened(&self) -> String {
        let (what, left) = (&self.facts.what, self.facts.count);
        match self.kind {
            Kind::FactorsReset if what.is_empty() => {
                "All authenticator apps and backup codes of your account were removed".into()
            }
            Kind::FactorsReset => "Authenticator apps and backup codes of your account were removed".into(),
            Kind::FactorEnrolled => format!("The authenticator app “{what}” was set up for your account"),
            Kind::FactorRemoved => format!("The authenticator app “{what}” was removed from your account"),
            Kind::FactorSwitchedOff => {
                format!("The authenticator app “{what}” was switched off after many wrong codes")
            }
            Kind::CodesMade => "New backup codes were made for your account".into(),
            Kind::CodesIssued => "Backup codes for your account were given out over the phone or in person".into(),
            Kind::CodeUsed => format!("A backup code of your account was used; {left} are left"),
            Kind::PasswordChanged => "The password of your account was changed".into(),
            Kind::PasswordSet => "A temporary password was set for your account".into(),
            Kind::EmailChanged => format!("The address with which you sign in was changed to {what}"),
            Kind::ContactChanged => format!("A way to reach you was changed ({what})"),
            Kind::GrantAsked => format!("Somebody who looks after accounts asked to {what} for yours"),
            Kind::InvitedAgain => "A new invitation link was made for your account".into(),
            Kind::ObjectionLifted => "The objection to what was done to your account was lifted".into(),
            Kind::ApprovalWaits
            | Kind::HostActed
            | Kind::Escalated
            | Kind::Disavowed
            | Kind::Reassured
            | Kind::Incident
            | Kind::PolicyLoosened => String::new(),
        }
    }

    /// Whose doing it was, or from where: "by Tom Okafor", "from Firefox on Linux, 192.0.2.7". Names come without the
    /// address that the trail has beside them: it is nobody's business but the trail's. Empty if nothing is known.
    pub fn by_whom(&self) -> String {
        let facts = &self.facts;
        if facts.by_themself || facts.by.is_empty() {
            let from = [facts.device.as_str(), &facts.address].into_iter().filter(|part| !part.is_empty());
            let from = from.collect::<Vec<_>>().join(", ");
            return if from.is_empty() { from } else { format!("from {from}") };
        }
        format!("by {}", facts.by.rsplit_once(" <").map_or(facts.by.as_str(), |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{NoticeId, UserId};
    use crate::notices::Facts;
    use crate::time::Timestamp;

    fn notice(kind: Kind, facts: Facts) -> Notice {
        Notice {
            id: NoticeId::generate(),
            user_id: UserId::generate(),
            kind,
            at: Timestamp::from_micros(0),
            case: None,
            facts,
            objection_until: None,
            objected_at: None,
            seen_at: None,
        }
    }

    #[test]
    fn whatever_can_be_objected_to_has_a_sentence() {
        for kind in Kind::ALL.iter().filter(|k| k.may_be_objected_to()) {
            let said = notice(*kind, Facts { what: "phone".into(), ..Facts::default() }).what_happened();
            assert!(said.contains("your") || said.contains("you "), "{kind:?}: {said}");
        }
    }

    #[test]
    fn who_did_it_is_told_by_name_and_the_persons_own_doing_by_where_it_came_from() {
        let by = |by: &str, by_themself| {
            let (address, device) = ("192.0.2.7".into(), "Firefox on Linux".into());
            let facts = Facts { by: by.into(), by_themself, address, device, ..Facts::default() };
            notice(Kind::CodesMade, facts).by_whom()
        };
        assert_eq!(by("Tom <3 <tom@x.example>", false), "by Tom <3");
        assert_eq!(
            by("the operator, with a command on the host", false),
            "by the operator, with a command on the host"
        );
        assert_eq!(by("Mara <mara@x.example>", true), "from Firefox on Linux, 192.0.2.7");
        assert_eq!(by("", false), "from Firefox on Linux, 192.0.2.7");
        assert_eq!(notice(Kind::CodesMade, Facts::default()).by_whom(), "");
    }
}
