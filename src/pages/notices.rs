//! What a person is told about their account: in a banner after signing in, as a list, and as a letter to print.

pub mod words;
