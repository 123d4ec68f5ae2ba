//! Times in milliseconds.

/// Microseconds as milliseconds, as `12.34 ms`.
pub(super) fn millis(us: u64) -> String {
    format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
}
