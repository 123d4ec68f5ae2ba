//! What an address says of TLS, whoever is asked for there.

use serde::{Deserialize, Serialize};

/// What connections to one address and port have said of TLS, under whatever
/// name. No name is told to a server before STARTTLS, so that whether it is
/// offered there is the address's and not the name's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AddressTls {
    /// None came so far.
    #[default]
    Nothing,
    /// STARTTLS was accepted.
    Tls,
    /// There is no TLS.
    NoTls,
    /// The one and the other.
    Both,
}

impl AddressTls {
    /// What both say together.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (said, Self::Nothing) | (Self::Nothing, said) => said,
            (one, another) if one == another => one,
            _ => Self::Both,
        }
    }
}

/// All that connections to one address and port have said for every name there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaidAtAddress {
    /// Whether there is TLS.
    pub tls: AddressTls,
    /// Whether it was refused for now: for a sender that waits that is no word about
    /// TLS, and one that goes on in clear then had none.
    pub refused_temporarily: bool,
    /// Whether TCP opened.
    pub opened: bool,
    /// Whether the server said anything.
    pub spoke: bool,
}

impl SaidAtAddress {
    /// What both say together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            tls: self.tls.and(other.tls),
            refused_temporarily: self.refused_temporarily || other.refused_temporarily,
            opened: self.opened || other.opened,
            spoke: self.spoke || other.spoke,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stays_so_in_any_order() {
        use AddressTls::{Both, NoTls, Nothing, Tls};
        for (one, another, together) in [
            (Nothing, Nothing, Nothing),
            (Nothing, Tls, Tls),
            (Nothing, NoTls, NoTls),
            (Tls, Tls, Tls),
            (NoTls, NoTls, NoTls),
            (Tls, NoTls, Both),
            (Both, Nothing, Both),
            (Both, Tls, Both),
            (Both, NoTls, Both),
            (Both, Both, Both),
        ] {
            assert_eq!((one.and(another), another.and(one)), (together, together), "{one:?} {another:?}");
        }
    }
}
