//! The ClientHello that answers a HelloRetryRequest, held against the first.

use super::client_hello::ClientHello;
use super::extension::ExtensionType;
use crate::model::inbound::SecondHello;

/// Extensions that may come, go or change (RFC 8446 §4.1.2): early_data, cookie,
/// pre_shared_key and padding; encrypted_client_hello, which is sealed anew (RFC 9849).
/// key_share is held apart.
const FREE_TO_CHANGE: [ExtensionType; 5] = [
    ExtensionType(21),
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType(42),
    ExtensionType::COOKIE,
    ExtensionType(0xfe0d),
];

/// What is told of the second ClientHello.
pub(super) fn second_hello(first: ClientHello, second: ClientHello) -> SecondHello {
    let shares = second.key_shares.iter().flatten();
    SecondHello {
        key_shares: shares.map(|share| share.group).collect(),
        differs: what_stays(first) != what_stays(second),
    }
}

/// The hello without what may change.
fn what_stays(mut hello: ClientHello) -> ClientHello {
    hello.key_shares = None;
    hello.extensions.retain(|extension| !FREE_TO_CHANGE.contains(&extension.extension_type));
    hello
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CipherSuite, NamedGroup, ProtocolVersion};
    use crate::tls::{Extension, KeyShare};

    #[test]
    fn only_what_may_change_may_change() {
        let share = |group| Some(vec![KeyShare { group: NamedGroup(group), key: vec![4; 65] }]);
        let mut first = ClientHello::new(ProtocolVersion::TLS13, [CipherSuite(0x1301)], [7; 32]);
        first.key_shares = share(0x001d);
        first.extensions.push(Extension::new(ExtensionType(42), []));
        let mut due = first.clone();
        due.key_shares = share(0x0017);
        due.extensions.pop();
        due.extensions.push(Extension::new(ExtensionType::COOKIE, [0, 1, 2]));
        let told = second_hello(first.clone(), due.clone());
        assert_eq!(told, SecondHello { key_shares: vec![NamedGroup(0x0017)], differs: false });
        let changes: [fn(&mut ClientHello); 5] = [
            |hello| hello.random = [8; 32],
            |hello| hello.session_id = vec![1],
            |hello| hello.suites.push(CipherSuite(0x1302)),
            |hello| hello.groups.push(NamedGroup(0x0018)),
            |hello| hello.extensions.push(Extension::new(ExtensionType::ALPN, [])),
        ];
        for change in changes {
            let mut second = due.clone();
            change(&mut second);
            assert!(second_hello(first.clone(), second.clone()).differs, "{second:?}");
        }
    }
}
