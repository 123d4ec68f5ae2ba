//! The mark by which a server says that it speaks a newer version than the one
//! it was brought to (RFC 8446 §4.1.3), and what clients make of it.
//!
//! A client that offers TLS 1.3 and is answered in TLS 1.2 with the mark of
//! TLS 1.3 must end the handshake (`illegal_parameter`), and OpenSSL, GnuTLS
//! and NSS do. Over the mark of TLS 1.1 in an answer of TLS 1.2, which makes no
//! sense, the first and the last end it, too, and GnuTLS goes on; in older
//! answers clients of TLS 1.2 only *should* look at it. A client that does not
//! speak TLS 1.3 is sent its mark by every server that does.

use crate::model::{DowngradeMark, HelloFinding, ProtocolVersion};

/// What a mark does to a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Downgrade {
    /// Nothing: there is none, or it says what is so.
    Nothing,
    /// The client ends the handshake.
    Ends,
    /// Some clients do.
    Disputed,
    /// Whether there is one was not written down.
    NotRecorded,
}

/// What becomes of a client whose newest version is `newest`, and which is
/// answered in `chosen` as one would be that offered `offered`.
pub(super) fn of(
    newest: Option<ProtocolVersion>,
    offered: ProtocolVersion,
    chosen: Option<ProtocolVersion>,
    mark: Option<DowngradeMark>,
) -> Downgrade {
    let newest = newest.unwrap_or(offered).min(offered);
    let Some(chosen) = chosen.filter(|chosen| *chosen < newest && *chosen < ProtocolVersion::TLS13) else {
        return Downgrade::Nothing;
    };
    let tls13 = newest >= ProtocolVersion::TLS13;
    match mark {
        Some(DowngradeMark::None) => Downgrade::Nothing,
        Some(DowngradeMark::Tls12) if tls13 && chosen == ProtocolVersion::TLS12 => Downgrade::Ends,
        Some(DowngradeMark::Tls12 | DowngradeMark::Tls11) if tls13 => Downgrade::Disputed,
        // Of TLS 1.3 a client of TLS 1.2 knows nothing.
        Some(DowngradeMark::Tls12) => Downgrade::Nothing,
        Some(DowngradeMark::Tls11) => Downgrade::Disputed,
        None if tls13 => Downgrade::NotRecorded,
        None => Downgrade::Nothing,
    }
}

/// Whether the server says in an older answer that it speaks `version`.
pub(super) fn speaks(hello: &HelloFinding, version: ProtocolVersion) -> bool {
    match hello.downgrade_mark {
        Some(DowngradeMark::Tls12) => version <= ProtocolVersion::TLS13,
        Some(DowngradeMark::Tls11) => version <= ProtocolVersion::TLS12,
        Some(DowngradeMark::None) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_ends_what_was_brought_down() {
        use DowngradeMark::{None as Nothing, Tls11, Tls12};
        let [v10, v11, v12, v13] =
            [ProtocolVersion::TLS10, ProtocolVersion::TLS11, ProtocolVersion::TLS12, ProtocolVersion::TLS13];
        for (newest, offered, chosen, mark, expected) in [
            (v13, v13, v12, Some(Tls12), Downgrade::Ends),
            (v13, v13, v12, Some(Tls11), Downgrade::Disputed),
            (v13, v13, v11, Some(Tls11), Downgrade::Disputed),
            (v13, v13, v11, Some(Tls12), Downgrade::Disputed),
            (v13, v13, v12, Some(Nothing), Downgrade::Nothing),
            (v13, v13, v12, None, Downgrade::NotRecorded),
            (v13, v13, v13, Some(Tls12), Downgrade::Nothing),
            // The hello, or the client, does not offer TLS 1.3.
            (v13, v12, v12, Some(Tls12), Downgrade::Nothing),
            (v12, v13, v12, Some(Tls12), Downgrade::Nothing),
            (v12, v13, v12, None, Downgrade::Nothing),
            (v12, v12, v10, Some(Tls11), Downgrade::Disputed),
            (v12, v12, v10, Some(Tls12), Downgrade::Nothing),
            (v11, v12, v11, Some(Tls11), Downgrade::Nothing),
        ] {
            let told = of(Some(newest), offered, Some(chosen), mark);
            assert_eq!(told, expected, "{newest} {offered} {chosen} {mark:?}");
        }
    }
}
