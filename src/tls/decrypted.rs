//! What rustls has decrypted, taken out of it.

use rustls::ConnectionCommon;
use std::io::BufRead;

/// Appends to `plain` all that the connection has decrypted.
pub(super) fn take_decrypted<Side>(connection: &mut ConnectionCommon<Side>, plain: &mut Vec<u8>) {
    loop {
        let mut reader = connection.reader();
        let Ok(bytes) = reader.fill_buf() else { return };
        let read = bytes.len();
        if read == 0 {
            return;
        }
        plain.extend_from_slice(bytes);
        reader.consume(read);
    }
}
