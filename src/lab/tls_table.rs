//! How a handshake goes and what certificate is shown: the `[server.ROLE.tls]`
//! tables of a scenario.

use serde::Deserialize;

/// How the handshake goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Versions spoken: `TLSv1.3`, `TLSv1.2`.
    pub versions: Vec<String>,
    /// Suites by IANA name; the server's order decides.
    pub suites: Vec<String>,
    /// Key exchange groups by IANA name; the client's order decides, as rustls
    /// has it.
    pub groups: Vec<String>,
    /// Resumption tickets sent after a TLS 1.3 handshake. Unless it is 0, sessions
    /// of TLS 1.2 can be resumed, too, by their id.
    pub tickets: usize,
    /// Whether tickets hold the session, and the server does not: then there are
    /// tickets in TLS 1.2, too (RFC 5077).
    pub stateless: bool,
    /// Whether a client certificate is asked for.
    pub client_auth: ClientAuth,
    /// Whether an OCSP response is stapled (a `tryLater`, enough to be seen).
    pub ocsp: bool,
    /// The leaf that is shown, and what is sent with it.
    pub certificate: Certificate,
    /// Another one for clients that send no name.
    pub without_sni: Option<Certificate>,
    /// Another one for some names.
    pub odd_names: Option<OddNames>,
    /// The signature over the handshake.
    pub handshake_signature: HandshakeSignature,
}

impl Default for Tls {
    fn default() -> Self {
        let texts = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Self {
            versions: texts(&["TLSv1.3", "TLSv1.2"]),
            suites: texts(&[
                "TLS_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            ]),
            groups: texts(&["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"]),
            tickets: 0,
            stateless: false,
            client_auth: ClientAuth::default(),
            ocsp: false,
            certificate: Certificate::default(),
            without_sni: None,
            odd_names: None,
            handshake_signature: HandshakeSignature::default(),
        }
    }
}

impl Tls {
    /// All that may be shown.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let odd = self.odd_names.as_ref().map(|odd| &odd.certificate);
        [Some(&self.certificate), self.without_sni.as_ref(), odd].into_iter().flatten()
    }
}

/// Names that have a certificate of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddNames {
    /// How they begin.
    pub begin: Vec<String>,
    /// What they show.
    pub certificate: Certificate,
}

/// What the signature over a handshake is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeSignature {
    /// One by the key of the certificate.
    #[default]
    OwnKey,
    /// One by another key of the same kind, as of who has the certificate only.
    AnotherKey,
    /// Random bytes, as many as one has.
    Random,
    /// No bytes.
    Empty,
    /// One by the key of the certificate, under a scheme that nobody offers.
    NotOffered,
    /// One by RSASSA-PSS whose salt is not as long as its digest, against RFC
    /// 8446 §4.2.3. Of a key of RSA only.
    OddSalt,
}

/// Whether a client certificate is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// No CertificateRequest is sent.
    #[default]
    None,
    /// One is sent, and a client without a certificate is served.
    Requested,
    /// One is sent, and the handshake ends without one.
    Required,
}

/// Most further names of a certificate.
pub const MORE_NAMES_MAX: usize = 20_000;

/// What the leaf certificate is like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// Kind and size of the leaf's key.
    pub key: LeafKeyKind,
    /// Who signed it.
    pub issuer: IssuerKind,
    /// How it is signed.
    pub signature: SignatureKind,
    /// What is sent with it.
    pub send: Sent,
    /// Start of validity in days from the start of the fleet.
    pub from_day: i32,
    /// End of validity in days from the start of the fleet.
    pub to_day: i32,
    /// DNS names of the subject alternative name. `{host}` is the name asked
    /// for in SNI (without one, the server's own), `{parent}` that name without
    /// its first label.
    pub names: Vec<String>,
    /// So many further names, `nN.` before the name asked for.
    pub more_names: usize,
    /// Common name; by default the first of the names.
    pub common_name: Option<String>,
    /// What it may be used for.
    pub purpose: PurposeKind,
    /// X.509 version: 3, or 1 (without any extension).
    pub version: u8,
    /// What becomes of it on the wire.
    pub form: FormKind,
}

impl Default for Certificate {
    fn default() -> Self {
        Self {
            key: LeafKeyKind::default(),
            issuer: IssuerKind::default(),
            signature: SignatureKind::default(),
            send: Sent::default(),
            from_day: -30,
            to_day: 60,
            names: vec!["{host}".into()],
            more_names: 0,
            common_name: None,
            purpose: PurposeKind::default(),
            version: 3,
            form: FormKind::default(),
        }
    }
}

impl Certificate {
    pub(super) fn check(&self) -> Result<(), String> {
        let odd = self.signature != SignatureKind::Sha256;
        if odd && (self.issuer != IssuerKind::Lab || self.version != 3) {
            return Err("only the lab signs with SHA-1 and SHA-224, and only version 3".into());
        }
        if self.more_names > MORE_NAMES_MAX {
            return Err(format!("no certificate has more than {MORE_NAMES_MAX} further names"));
        }
        Ok(())
    }
}

/// What a leaf may be used for (extended key usage, RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeKind {
    /// TLS servers.
    #[default]
    Server,
    /// TLS clients alone, so that no client takes it from a server.
    Client,
}

/// What becomes of a chain on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// It is sent as it is.
    #[default]
    Whole,
    /// The certificate_list is empty.
    NoCertificate,
    /// The leaf is of no bytes.
    Empty,
    /// The leaf is an element of ASN.1, and no certificate.
    NoDer,
    /// Bytes follow the leaf in its entry.
    BytesBehind,
    /// The leaf names another signature algorithm outside than inside: GnuTLS
    /// does not read it, others do.
    TwoAlgorithms,
}

/// OID of ecdsa-with-SHA256, and of ecdsa-with-SHA384 (RFC 5758 §3.2).
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

impl FormKind {
    /// The chain as it is sent.
    pub(super) fn spoil(self, mut chain: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let Some(leaf) = chain.first_mut() else { return chain };
        match self {
            FormKind::Whole => {}
            FormKind::NoCertificate => chain.clear(),
            FormKind::Empty => leaf.clear(),
            FormKind::NoDer => *leaf = vec![0x30, 0x01, 0x00],
            FormKind::BytesBehind => leaf.push(0),
            FormKind::TwoAlgorithms => {
                let oid = ECDSA_WITH_SHA256.len();
                let outside = leaf.windows(oid).rposition(|part| part == ECDSA_WITH_SHA256);
                if let Some(last) = outside.and_then(|place| leaf.get_mut(place + oid - 1)) {
                    *last += 1;
                }
            }
        }
        chain
    }
}

/// Key of a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafKeyKind {
    /// ECDSA on P-256, made anew for every fleet.
    #[default]
    EcdsaP256,
    /// The same, with its point in hybrid form, which is rarely seen.
    EcdsaP256Hybrid,
    /// ECDSA on P-384, made anew for every fleet.
    EcdsaP384,
    /// Ed25519, made anew for every fleet.
    Ed25519,
    /// RSA of 2048 bits, a public test key.
    Rsa2048,
    /// RSA of 1024 bits, a public test key; TLS 1.2 only.
    Rsa1024,
}

/// Who signed a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKind {
    /// The intermediate CA under the lab's root.
    #[default]
    Lab,
    /// An intermediate CA under a root that is trusted and has expired.
    Expired,
    /// An intermediate CA under a root that nobody trusts.
    Stranger,
    /// Its own key.
    Itself,
}

/// How a leaf is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// With SHA-256, by the issuer's key.
    #[default]
    Sha256,
    /// With SHA-1, by an RSA key of an intermediate CA of its own under the
    /// lab's root.
    Sha1,
    /// With SHA-224, by the same key: good, and nothing that aws-lc-rs verifies.
    Sha224,
}

/// What is sent with a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Leaf and intermediate (a self-signed leaf stands alone).
    #[default]
    Chain,
    /// The leaf alone.
    LeafOnly,
    /// Leaf, intermediate and root.
    WithRoot,
}
