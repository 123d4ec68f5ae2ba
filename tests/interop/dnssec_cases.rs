//! The domains of the signed zone: what their hosts show, which records they
//! have, and how mail to them passes.

use super::dane::{record, spoilt};
use mxray::internals::model::tlsa::{AssociationData, TlsaRecord};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::Ipv4Addr;

/// What becomes of mail to a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Through TLS with a server that TLSA records vouch for.
    Verified,
    /// Through TLS with whomever.
    Encrypted,
    /// In clear.
    Plaintext,
    /// It is kept.
    Deferred,
}
pub use Passage::{Deferred, Encrypted, Plaintext, Verified};

/// Which server a domain's host is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Shows leaf, intermediate and root.
    Whole,
    /// The same without the root.
    WithoutRoot,
    /// Its certificate bears another name.
    OtherName,
    /// Its certificate has expired.
    Expired,
    /// It offers no STARTTLS.
    Clear,
    /// Shows the leaf alone.
    LeafAlone,
    /// Its certificate bears [`NEXT_HOPS`], and no host.
    NextHop,
}
pub const HOSTS: [Host; 7] = [
    Host::Whole,
    Host::WithoutRoot,
    Host::OtherName,
    Host::Expired,
    Host::Clear,
    Host::LeafAlone,
    Host::NextHop,
];

/// Domains that mail is for, and where the alias of another leads.
pub const NEXT_HOPS: [&str; 3] = ["hop.example", "hop-end.example", "hop.insecure"];

impl Host {
    /// An address of this test's alone: its root is locked meanwhile.
    pub fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(127, 53, 26, 1 + self as u8)
    }
}

/// Certificates of a host, leaf first, and what is above them sent or not.
pub struct Certificates {
    pub all: Vec<Vec<u8>>,
    pub sent: usize,
    pub key: Vec<u8>,
}

fn authority(title: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, title);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

pub fn certificates(host: Host) -> Certificates {
    let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
    let middle =
        CertifiedIssuer::signed_by(authority("intermediate"), KeyPair::generate().unwrap(), &root).unwrap();
    let names = match host {
        Host::OtherName => vec!["mx.other".to_owned()],
        Host::NextHop => NEXT_HOPS.map(str::to_owned).to_vec(),
        _ => CASES.iter().map(|case| format!("mx.{}", case.domain())).collect(),
    };
    let mut leaf = CertificateParams::new(names).unwrap();
    if host == Host::Expired {
        leaf.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let leaf = leaf.signed_by(&key, &middle).unwrap();
    let all = [leaf.der().to_vec(), middle.der().to_vec(), root.der().to_vec()];
    let sent = match host {
        Host::WithoutRoot => 2,
        Host::LeafAlone => 1,
        _ => 3,
    };
    Certificates { all: all.to_vec(), sent, key: key.serialize_der() }
}

/// Records by the certificate they are of: 0 the leaf, 1 its issuer, 2 the root.
pub type Records = fn(&Certificates) -> Vec<TlsaRecord>;

pub struct Case {
    pub name: &'static str,
    /// What is odd about it, as the documentation has it.
    pub title: &'static str,
    pub host: Host,
    pub records: Records,
    pub expected: Passage,
}

impl Case {
    pub fn domain(&self) -> String {
        format!("{}.example", self.name)
    }
}

pub fn of(
    certificates: &Certificates,
    (usage, selector, matching): (u8, u8, u8),
    depth: usize,
) -> TlsaRecord {
    record(usage, selector, matching, &certificates.all[depth])
}

const fn case(
    name: &'static str,
    title: &'static str,
    host: Host,
    expected: Passage,
    records: Records,
) -> Case {
    Case { name, title, host, records, expected }
}

/// RFC 7671 §5, RFC 7672 §3.1, and the combinations of Postfix's `tls_dane.sh`.
pub const CASES: &[Case] = &[
    case("none", "no records", Host::Whole, Encrypted, |_| Vec::new()),
    case("none-clear", "no records, no STARTTLS", Host::Clear, Plaintext, |_| Vec::new()),
    case("ee300", "`3 0 0` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 0), 0)]),
    case("ee301", "`3 0 1` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 1), 0)]),
    case("ee302", "`3 0 2` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 0, 2), 0)]),
    case("ee310", "`3 1 0` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 0), 0)]),
    case("ee311", "`3 1 1` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 1), 0)]),
    case("ee312", "`3 1 2` of the leaf", Host::Whole, Verified, |c| vec![of(c, (3, 1, 2), 0)]),
    case("ee311-clear", "`3 1 1` of the leaf, no STARTTLS", Host::Clear, Deferred, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-name", "`3 1 1` of the leaf, which bears another name", Host::OtherName, Verified, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-dates", "`3 1 1` of the leaf, which has expired", Host::Expired, Verified, |c| {
        vec![of(c, (3, 1, 1), 0)]
    }),
    case("ee311-issuer", "`3 1 1` of the issuer", Host::Whole, Deferred, |c| vec![of(c, (3, 1, 1), 1)]),
    case("ee311-wrong", "`3 1 1` of another certificate", Host::Whole, Deferred, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0))]
    }),
    case("ee-one-of-two", "`3 1 1` of the leaf and of another", Host::Whole, Verified, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0)), of(c, (3, 1, 1), 0)]
    }),
    case("agility-wrong", "`3 1 1` of the leaf, `3 1 2` of another", Host::Whole, Deferred, |c| {
        vec![spoilt(of(c, (3, 1, 2), 0)), of(c, (3, 1, 1), 0)]
    }),
    case("agility-right", "`3 1 2` of the leaf, `3 1 1` of another", Host::Whole, Verified, |c| {
        vec![of(c, (3, 1, 2), 0), spoilt(of(c, (3, 1, 1), 0))]
    }),
    case("agility-selectors", "`3 1 1` of the leaf, `3 0 2` of another", Host::Whole, Verified, |c| {
        vec![of(c, (3, 1, 1), 0), spoilt(of(c, (3, 0, 2), 0))]
    }),
    case("agility-ta", "`2 0 1` of the root, `2 0 2` of another", Host::Whole, Deferred, |c| {
        vec![of(c, (2, 0, 1), 2), spoilt(of(c, (2, 0, 2), 2))]
    }),
    case("agility-usages", "`2 0 1` of the root, `3 0 2` of another", Host::Whole, Verified, |c| {
        vec![of(c, (2, 0, 1), 2), spoilt(of(c, (3, 0, 2), 0))]
    }),
    case("ta200", "`2 0 0` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 0), 2)]),
    case("ta201", "`2 0 1` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 1), 2)]),
    case("ta202", "`2 0 2` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 0, 2), 2)]),
    case("ta210", "`2 1 0` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 0), 2)]),
    case("ta211", "`2 1 1` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 1), 2)]),
    case("ta212", "`2 1 2` of the root", Host::Whole, Verified, |c| vec![of(c, (2, 1, 2), 2)]),
    case("ta211-issuer", "`2 1 1` of the intermediate", Host::Whole, Verified, |c| vec![of(c, (2, 1, 1), 1)]),
    case("ta211-leaf", "`2 1 1` of the leaf", Host::Whole, Deferred, |c| vec![of(c, (2, 1, 1), 0)]),
    case("ta200-unsent", "`2 0 0` of the root, which is not sent", Host::WithoutRoot, Verified, |c| {
        vec![of(c, (2, 0, 0), 2)]
    }),
    case("ta210-unsent", "`2 1 0` of the root, which is not sent", Host::WithoutRoot, Verified, |c| {
        vec![of(c, (2, 1, 0), 2)]
    }),
    case("ta201-unsent", "`2 0 1` of the root, which is not sent", Host::WithoutRoot, Deferred, |c| {
        vec![of(c, (2, 0, 1), 2)]
    }),
    case(
        "ta200-alone",
        "`2 0 0` of the intermediate, the leaf alone is sent",
        Host::LeafAlone,
        Verified,
        |c| vec![of(c, (2, 0, 0), 1)],
    ),
    case(
        "ta210-alone",
        "`2 1 0` of the intermediate, the leaf alone is sent",
        Host::LeafAlone,
        Verified,
        |c| vec![of(c, (2, 1, 0), 1)],
    ),
    case(
        "ta211-alone",
        "`2 1 1` of the intermediate, the leaf alone is sent",
        Host::LeafAlone,
        Deferred,
        |c| vec![of(c, (2, 1, 1), 1)],
    ),
    case("ta200-gap", "`2 0 0` of the root, the leaf alone is sent", Host::LeafAlone, Deferred, |c| {
        vec![of(c, (2, 0, 0), 2)]
    }),
    case("ta211-name", "`2 1 1` of the root, the leaf bears another name", Host::OtherName, Deferred, |c| {
        vec![of(c, (2, 1, 1), 2)]
    }),
    case("ta211-dates", "`2 1 1` of the root, the leaf has expired", Host::Expired, Deferred, |c| {
        vec![of(c, (2, 1, 1), 2)]
    }),
    case("mixed-ta", "`3 1 1` of another, `2 1 1` of the root", Host::Whole, Verified, |c| {
        vec![spoilt(of(c, (3, 1, 1), 0)), of(c, (2, 1, 1), 2)]
    }),
    case(
        "mixed-ee",
        "`3 1 1` of the leaf, `2 1 1` of the root, the leaf bears another name",
        Host::OtherName,
        Verified,
        |c| vec![of(c, (3, 1, 1), 0), of(c, (2, 1, 1), 2)],
    ),
    case("unusable-usage", "`1 1 1` and `0 0 1`", Host::Whole, Encrypted, |c| {
        vec![of(c, (1, 1, 1), 0), of(c, (0, 0, 1), 2)]
    }),
    case("unusable-matching", "`3 1 9`", Host::Whole, Encrypted, |c| {
        vec![with_matching(of(c, (3, 1, 1), 0), 9)]
    }),
    case("unusable-length", "`3 1 1` of 20 octets", Host::Whole, Encrypted, |c| {
        vec![shortened(of(c, (3, 1, 1), 0))]
    }),
    case("unusable-clear", "`1 1 1`, no STARTTLS", Host::Clear, Deferred, |c| vec![of(c, (1, 1, 1), 0)]),
    case("unusable-and-good", "`1 1 1`, and `3 1 1` of the leaf", Host::Whole, Verified, |c| {
        vec![of(c, (1, 1, 1), 0), of(c, (3, 1, 1), 0)]
    }),
    case("unusable-and-wrong", "`1 1 1`, and `3 1 1` of another", Host::Whole, Deferred, |c| {
        vec![of(c, (1, 1, 1), 0), spoilt(of(c, (3, 1, 1), 0))]
    }),
];

fn with_matching(record: TlsaRecord, matching_type: u8) -> TlsaRecord {
    TlsaRecord { matching_type, ..record }
}

fn shortened(record: TlsaRecord) -> TlsaRecord {
    TlsaRecord { data: AssociationData(record.data.0[..20].to_vec()), ..record }
}

/// Where it is the DNS that decides, beside the table: name, host, what the
/// zones hold, what comes of it.
pub struct Elsewhere {
    pub name: &'static str,
    pub title: &'static str,
    /// What the lookup finds.
    pub facts: &'static str,
    pub root: &'static str,
    pub insecure: &'static str,
    pub bogus: &'static str,
    pub expected: Passage,
    /// What mxray says, where that is known to be something else.
    pub told: Option<Passage>,
}

pub const ELSEWHERE: &[Elsewhere] = &[
    // All of it insecure: nobody asks for records.
    Elsewhere {
        name: "all.insecure",
        title: "nothing is signed",
        facts: "insecure MX; insecure addresses",
        root: "",
        insecure: "all MX 10 mx.all\nmx.all A {whole}\n_25._tcp.mx.all TLSA {wrong}",
        bogus: "",
        expected: Encrypted,
        told: None,
    },
    // RFC 7672 §2.2.1 leaves it to the sender: Postfix uses the records.
    Elsewhere {
        name: "mx.insecure",
        title: "the MX records are not signed, wrong `3 1 1`",
        facts: "insecure MX; 1 of mx.ee311-wrong.example",
        root: "",
        insecure: "mx MX 10 mx.ee311-wrong.example.",
        bogus: "",
        expected: Deferred,
        told: None,
    },
    // The records stand where the alias leads, or at the alias.example.
    Elsewhere {
        name: "alias.example",
        title: "the MX host is an alias, the records stand where it leads",
        facts: "secure MX; 1 of mx.ee311.example",
        root: "alias.example. MX 10 mx.alias.example.\nmx.alias.example. CNAME mx.ee311.example.",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    Elsewhere {
        name: "alias-own.example",
        title: "the same, they stand at the alias",
        facts: "secure MX; 1 of mx.alias-own.example",
        root: "alias-own.example. MX 10 mx.alias-own.example.\nmx.alias-own.example. CNAME mx.none.example.\n_25._tcp.mx.alias-own.example. TLSA {right}",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    Elsewhere {
        name: "alias-out.example",
        title: "an alias to an unsigned host, they stand at the alias",
        facts: "secure MX; 1 of mx.alias-out.example",
        root: "alias-out.example. MX 10 mx.alias-out.example.\nmx.alias-out.example. CNAME mx.all.insecure.\n_25._tcp.mx.alias-out.example. TLSA {right}",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    Elsewhere {
        name: "alias-of-records.example",
        title: "the record's own name is an alias",
        facts: "secure MX; 1 of mx.alias-of-records.example",
        root: "alias-of-records.example. MX 10 mx.alias-of-records.example.\nmx.alias-of-records.example. A {whole}\n\
               _25._tcp.mx.alias-of-records.example. CNAME _25._tcp.mx.ee311.example.",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    Elsewhere {
        name: "records-insecure.example",
        title: "the same, to an unsigned record",
        facts: "secure MX; insecure records",
        root: "records-insecure.example. MX 10 mx.records-insecure.example.\nmx.records-insecure.example. A {whole}\n\
               _25._tcp.mx.records-insecure.example. CNAME _25._tcp.mx.all.insecure.",
        insecure: "",
        bogus: "",
        expected: Encrypted,
        told: None,
    },
    // What cannot be validated is an error, and no host without records.
    Elsewhere {
        name: "records-bogus.example",
        title: "the same, to a bogus one",
        facts: "secure MX; bogus records",
        root: "records-bogus.example. MX 10 mx.records-bogus.example.\nmx.records-bogus.example. A {whole}\n\
               _25._tcp.mx.records-bogus.example. CNAME records.bogus.",
        insecure: "",
        bogus: "records TLSA {right}",
        expected: Deferred,
        told: None,
    },
    Elsewhere {
        name: "address-bogus.example",
        title: "the address of the host is bogus",
        facts: "secure MX; bogus addresses",
        root: "address-bogus.example. MX 10 mx.bogus.",
        insecure: "",
        bogus: "mx A {whole}",
        expected: Deferred,
        told: None,
    },
    Elsewhere {
        name: "mx.bogus",
        title: "the MX record is bogus",
        facts: "bogus MX",
        root: "",
        insecure: "",
        bogus: "mx MX 10 mx.ee311.example.",
        expected: Deferred,
        told: None,
    },
    // RFC 7672 §3.2.2: a name of the domain counts as that of the host does.
    Elsewhere {
        name: "hop.example",
        title: "`2 1 1` of the root, the leaf bears the domain of the mail alone",
        facts: "secure MX; 1 of mx.hop.example",
        root: "hop.example. MX 10 mx.hop.example.\nmx.hop.example. A {hop}\n_25._tcp.mx.hop.example. TLSA {anchor}",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    Elsewhere {
        name: "hop-alias.example",
        title: "the domain is an alias, the leaf bears the name where it leads alone",
        facts: "secure MX; 1 of mx.hop-end.example",
        root: "hop-alias.example. CNAME hop-end.example.\nhop-end.example. MX 10 mx.hop-end.example.\n\
               mx.hop-end.example. A {hop}\n_25._tcp.mx.hop-end.example. TLSA {anchor}",
        insecure: "",
        bogus: "",
        expected: Verified,
        told: None,
    },
    // There it counts under secure MX records alone, for Postfix always.
    Elsewhere {
        name: "hop.insecure",
        title: "the MX records are not signed, the leaf bears the domain of the mail alone",
        facts: "insecure MX; 1 of mx.hop.example",
        root: "",
        insecure: "hop MX 10 mx.hop.example.",
        bogus: "",
        expected: Verified,
        told: Some(Deferred),
    },
];
