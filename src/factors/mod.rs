//! Second factors: what each kind is, and when what was typed or signed is right.

pub mod totp;
