//! Code points by type: each is read and written by its registered name.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

macro_rules! code_point {
    ($(#[$doc:meta])* $name:ident($repr:ty), $width:literal, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $repr);

        impl $name {
            /// The registered name, or the code point in hexadecimal.
            pub fn name(self) -> Cow<'static, str> {
                match self.registered() {
                    Some(name) => Cow::Borrowed(name),
                    None => Cow::Owned(format!(concat!("0x{:0", $width, "x}"), self.0)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.name())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownName;

            /// The registered name, or the code point as `0x1234`.
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                if let Some(hex) = text.strip_prefix("0x") {
                    let code = <$repr>::from_str_radix(hex, 16).map_err(|_| UnknownName)?;
                    return Ok(Self(code));
                }
                Self::named(text).map(Self).ok_or(UnknownName)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(|_| {
                    D::Error::custom(format_args!(concat!("no ", $words, " is named `{}`"), text))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.name())
            }
        }
    };
}

code_point! {
    /// Protocol version (RFC 8446 §4.2.1 and its predecessors). Orders by age:
    /// a greater value is a newer version.
    ProtocolVersion(u16), "4", "TLS version"
}
code_point! {
    /// Cipher suite.
    CipherSuite(u16), "4", "cipher suite"
}
code_point! {
    /// Supported group (RFC 8446 §4.2.7).
    NamedGroup(u16), "4", "group"
}
code_point! {
    /// Signature scheme (RFC 8446 §4.2.3).
    SignatureScheme(u16), "4", "signature scheme"
}
code_point! {
    /// Alert description (RFC 8446 §6).
    AlertDescription(u8), "2", "alert"
}

/// No table of the registry has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a registered name and no code point like 0x1301")]
pub struct UnknownName;
