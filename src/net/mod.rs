//! The probe over real sockets: dial, drive the dialogue, shake hands.
