//! What a person signs in with besides the password.
