//! Why the grant rule says no, as a word for the trail and a sentence for who asked.

/// Why the answer is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The asker's role does not look after people.
    NotYourRole,
    /// Nobody acts on themself.
    Yourself,
    /// Only an owner acts on an owner, an admin or an auditor; recent rank counts.
    Rank,
    /// Only an owner gives a role above member.
    RoleAboveYours,
    /// Only an owner does this.
    OwnersOnly,
    /// No evidence of who it is.
    EvidenceMissing,
    /// The evidence is too old, or from the future.
    EvidenceStale,
    /// The number that was called is not on the account.
    NumberNotOnAccount,
    /// The number that was called was added too shortly before help was asked for, or after.
    NumberTooNew,
    /// Who vouches is the person themself, or who acts.
    VouchesForThemself,
    /// The case was handed to the owners.
    ForOwners,
    /// Help was refused lately: an owner opens the next case.
    RefusedLately,
    /// Something has changed since it was asked for, so that what permitted it does not count.
    ChangedSinceAsked,
    /// Who asked does not approve.
    AskedYourself,
    /// Only who asked takes it back.
    NotWhoAsked,
    /// The case is in a state in which this can not be done.
    NotNow,
    /// Who acted in the case does not lift the objection to it.
    ActedInCase,
    /// The account is frozen, or was closed because of an attack: its case opens it.
    Held,
    /// Backup codes are left, and it was not said that the person does not have them.
    CodesNotAskedFor,
    /// The last active owner stays.
    LastOwner,
    /// The person is disabled.
    IsDisabled,
    /// The person is not disabled.
    IsNotDisabled,
    /// The person has not accepted the invitation yet.
    IsInvited,
    /// The person has accepted the invitation already.
    IsNotInvited,
    /// The person has left for good.
    HasLeft,
    /// It is so already.
    NothingToDo,
}

impl Rule {
    /// The word in the audit entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYourRole => "not_your_role",
            Self::Yourself => "yourself",
            Self::Rank => "rank",
            Self::RoleAboveYours => "role_above_yours",
            Self::OwnersOnly => "owners_only",
            Self::EvidenceMissing => "evidence_missing",
            Self::EvidenceStale => "evidence_stale",
            Self::NumberNotOnAccount => "number_not_on_account",
            Self::NumberTooNew => "number_too_new",
            Self::VouchesForThemself => "vouches_for_themself",
            Self::ForOwners => "for_owners",
            Self::RefusedLately => "refused_lately",
            Self::ChangedSinceAsked => "changed_since_asked",
            Self::AskedYourself => "asked_yourself",
            Self::NotWhoAsked => "not_who_asked",
            Self::NotNow => "not_now",
            Self::ActedInCase => "acted_in_case",
            Self::Held => "held",
            Self::CodesNotAskedFor => "codes_not_asked_for",
            Self::LastOwner => "last_owner",
            Self::IsDisabled => "is_disabled",
            Self::IsNotDisabled => "is_not_disabled",
            Self::IsInvited => "is_invited",
            Self::IsNotInvited => "is_not_invited",
            Self::HasLeft => "has_left",
            Self::NothingToDo => "nothing_to_do",
        }
    }

    /// What to tell who asked: what the rule is, and what to do instead.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotYourRole => "Your role does not look after other people. Ask an admin or an owner.",
            Self::Yourself => "Nobody does this to their own account. Ask another admin or an owner.",
            Self::Rank => "Only an owner may do this for an owner, an admin or an auditor. Ask an owner.",
            Self::RoleAboveYours => "Only an owner gives a role above member. Ask an owner.",
            Self::OwnersOnly => "Only an owner may do this. Ask an owner.",
            Self::EvidenceMissing => "Say first how you made sure who it is.",
            Self::EvidenceStale => "It is too long ago that you made sure who it is. Verify it again.",
            Self::NumberNotOnAccount => {
                "This number is not on the account, or was removed from it. Call one that is listed, or verify another way."
            }
            Self::NumberTooNew => {
                "This number was added too shortly before help was asked for. Call an older one, or verify another way."
            }
            Self::VouchesForThemself => {
                "Somebody else has to vouch: neither the person themself nor you. Name their manager or HR."
            }
            Self::ForOwners => "This was handed to the owners. An owner goes on with it.",
            Self::RefusedLately => "Help was refused to this person a short while ago. Only an owner opens a new case.",
            Self::ChangedSinceAsked => {
                "Something has changed since this was asked for, so the approval does not count any more. Ask again."
            }
            Self::AskedYourself => "Somebody else approves what you ask for. Tell another admin or an owner.",
            Self::NotWhoAsked => {
                "Only who asked for it withdraws it. If you may decide about it, open the case and deny it."
            }
            Self::NotNow => "The case has moved on since you opened this page. Look at it again.",
            Self::ActedInCase => {
                "You acted in this case, so somebody else lifts the objection. Tell another admin or an owner."
            }
            Self::Held => {
                "This account is closed by its case, because of an objection or an attack. Open the case: it says how to go on."
            }
            Self::CodesNotAskedFor => {
                "There are backup codes left. Ask for one of them first, or say that there is none at hand."
            }
            Self::LastOwner => {
                "This is the last active owner, who stays an owner and in use. Make another owner first."
            }
            Self::IsDisabled => "This account is disabled. Enable it first, if it should be used again.",
            Self::IsNotDisabled => "This account is not disabled.",
            Self::IsInvited => "This person has not accepted the invitation yet. Make a new invitation link instead.",
            Self::IsNotInvited => "This person has accepted the invitation already.",
            Self::HasLeft => "This person has left for good. If they come back, add them under another address.",
            Self::NothingToDo => "This is so already; nothing was changed.",
        }
    }

    /// Whether it is about how it was made sure who it is, which can be done again.
    pub const fn is_about_evidence(self) -> bool {
        matches!(
            self,
            Self::EvidenceMissing
                | Self::EvidenceStale
                | Self::NumberNotOnAccount
                | Self::NumberTooNew
                | Self::VouchesForThemself
        )
    }

    /// Whether it is about the state of the account, and not about who asks.
    pub const fn is_about_state(self) -> bool {
        matches!(
            self,
            Self::IsDisabled
                | Self::IsNotDisabled
                | Self::IsInvited
                | Self::IsNotInvited
                | Self::HasLeft
                | Self::NotNow
                | Self::Held
                | Self::NothingToDo
        )
    }
}
