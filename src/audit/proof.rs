//! By what somebody proved who they are, in the words of the trail: what completed a sign-in, and what was wrong.

/// Which methods completed a sign-in; names from RFC 8176 where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// Password and a one-time code.
    PasswordAndOtp,
    /// Password and a backup code.
    PasswordAndBackupCode,
    /// Password and a factor enrolled in this very sign-in.
    PasswordAndEnrolment,
}

impl Methods {
    /// The text in the entry and in the session: no `otp` where none was used.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordAndOtp => "pwd otp",
            Self::PasswordAndBackupCode => "pwd backup-code",
            Self::PasswordAndEnrolment => "pwd enrolment",
        }
    }
}

/// What the person gave when a second factor failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A code from an authenticator app.
    Totp,
    /// A backup code.
    BackupCode,
    /// The pass that opens the enrolment page.
    EnrolmentPass,
    /// The password, when resuming an idle session or changing it.
    Password,
}

impl Challenge {
    /// The word in the entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::BackupCode => "backup_code",
            Self::EnrolmentPass => "enrolment_pass",
            Self::Password => "password",
        }
    }
}
