//! Messages about a file that cannot be used, for oracles of file formats.

/// Most bytes of a message: two quotations of 1,000 and what stands between, a
/// few lines of a terminal.
const MESSAGE_BYTES_MAX: usize = 2100;

/// One clear line, whatever stands in the file.
pub fn check(message: &str) {
    assert!(!message.is_empty(), "a message says something");
    assert!(message.len() <= MESSAGE_BYTES_MAX, "{} bytes: {message}", message.len());
    assert!(!message.chars().any(char::is_control), "control characters: {message:?}");
}
