//! Every kind of key and scheme: signatures that OpenSSL made, the same spoilt,
//! and what cannot be checked here told as our limit.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use mxray::internals::model::{ProtocolVersion as Version, SignatureScheme};
use mxray::internals::x509::handshake::{OFFERED_SCHEMES, SignatureRefusal, Verifier, has_usual_key};
use mxray::internals::x509::subject_public_key_info;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// So long that the lengths around it stay two bytes whatever key there is.
const SUBJECT: &str = "/O=An organisation with a name that is rather long, as some are/CN=mx.example";
const MESSAGE: &[u8] = b"client random, server random, and what was agreed upon with";
const SHA224: SignatureScheme = SignatureScheme(0x0301);
const SHA224_ECDSA: SignatureScheme = SignatureScheme(0x0303);
const DSA_SHA256: SignatureScheme = SignatureScheme(0x0402);

/// Set where nothing may be left out; `tests/interop` heeds it, too.
const ALL: &str = "MXRAY_INTEROP_ALL";

/// Whether `openssl` is there; says so if not, and fails where nothing may be
/// left out.
fn is_there() -> bool {
    let found = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os(ALL).is_none(), "missing, and {ALL} is set: openssl");
        eprintln!("left out: openssl");
    }
    found
}

/// A key by `openssl genpkey`, its certificate, and what signs with it.
struct Openssl {
    dir: tempfile::TempDir,
    certificate: Vec<u8>,
}

fn run(dir: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(arguments).env("OPENSSL_CONF", "/dev/null");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Openssl {
    fn key(genpkey: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &[&["genpkey", "-out", "key.pem"], genpkey].concat());
        Self::with_key(dir)
    }

    /// DSA needs its parameters first.
    fn dsa() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bits = "dsa_paramgen_bits:1024";
        run(dir.path(), &["genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", bits, "-out", "dsa.pem"]);
        run(dir.path(), &["genpkey", "-paramfile", "dsa.pem", "-out", "key.pem"]);
        Self::with_key(dir)
    }

    fn with_key(dir: tempfile::TempDir) -> Self {
        let request = ["req", "-x509", "-key", "key.pem", "-subj", SUBJECT, "-days", "9"];
        run(dir.path(), &[&request[..], &["-outform", "DER", "-out", "cert.der"]].concat());
        let certificate = fs::read(dir.path().join("cert.der")).unwrap();
        Self { dir, certificate }
    }

    /// The signature by `openssl pkeyutl` with these options.
    fn sign(&self, options: &[&str]) -> Vec<u8> {
        self.sign_message(MESSAGE, options)
    }

    fn sign_message(&self, message: &[u8], options: &[&str]) -> Vec<u8> {
        fs::write(self.dir.path().join("message"), message).unwrap();
        let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "message", "-out", "signature"];
        run(self.dir.path(), &[&sign[..], options].concat());
        fs::read(self.dir.path().join("signature")).unwrap()
    }
}

/// `verified`, or the kind of refusal and its cause.
fn told(certificate: &[u8], version: Version, scheme: Option<SignatureScheme>, signature: &[u8]) -> String {
    let offered: Vec<SignatureScheme> = scheme.into_iter().collect();
    let checked = Verifier::new(certificate, version, scheme, &offered)
        .and_then(|verifier| verifier.verify(MESSAGE, signature));
    match checked {
        Ok(()) => "verified".into(),
        Err(SignatureRefusal::Failed(cause)) => format!("failed: {cause}"),
        Err(SignatureRefusal::NotOffered(cause)) => format!("not offered: {cause}"),
        Err(SignatureRefusal::Unverifiable(cause)) => cause,
        Err(other) => panic!("{other:?}"),
    }
}

const FAILED: &str = "failed: the signature does not hold under the key of the certificate";

/// A good signature verifies in each of the versions; spoilt, empty, or over
/// another message it fails.
fn check_all(key: &Openssl, versions: &[Version], scheme: Option<u16>, signature: &[u8]) {
    let scheme = scheme.map(SignatureScheme);
    let mut spoilt = signature.to_vec();
    *spoilt.last_mut().unwrap() ^= 1;
    for version in versions {
        let told = |signature: &[u8]| told(&key.certificate, *version, scheme, signature);
        assert_eq!(told(signature), "verified", "{scheme:?} {version}");
        assert_eq!(told(&spoilt), FAILED, "{scheme:?} {version}");
        assert_eq!(told(&[]), FAILED, "{scheme:?} {version}");
        assert_eq!(told(&vec![7; signature.len()]), FAILED, "{scheme:?} {version}");
    }
}

const OLD: [Version; 3] = [Version::SSL3, Version::TLS10, Version::TLS11];
const TLS12: [Version; 1] = [Version::TLS12];
const BOTH: [Version; 2] = [Version::TLS12, Version::TLS13];

fn rsa(bits: &str) -> Openssl {
    Openssl::key(&["-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")])
}

fn curve(name: &str) -> Openssl {
    Openssl::key(&["-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{name}")])
}

const RAW_SHA256: [&str; 3] = ["-rawin", "-digest", "sha256"];
const RAW_SHA1: [&str; 3] = ["-rawin", "-digest", "sha1"];

#[test]
fn rsa_by_pkcs1_from_1024_bits() {
    if !is_there() {
        return;
    }
    let key = rsa("1024");
    for (scheme, digest) in [(0x0201, "sha1"), (0x0401, "sha256"), (0x0601, "sha512")] {
        check_all(&key, &TLS12, Some(scheme), &key.sign(&["-rawin", "-digest", digest]));
    }
    // Of SHA-384 the library takes longer keys only.
    let told = told(&key.certificate, Version::TLS12, Some(SignatureScheme(0x0501)), &[1]);
    assert_eq!(told, "mxray cannot check this signature by an RSA key of 1024 bits");
    let key = rsa("2048");
    check_all(&key, &TLS12, Some(0x0501), &key.sign(&["-rawin", "-digest", "sha384"]));
}

#[test]
fn rsa_by_pkcs1_is_no_signature_of_tls13() {
    if !is_there() {
        return;
    }
    let key = rsa("1024");
    for scheme in [0x0201, 0x0401, 0x0501, 0x0601] {
        let told = told(&key.certificate, Version::TLS13, Some(SignatureScheme(scheme)), &[1]);
        assert!(told.ends_with("which TLS 1.3 does not have"), "{told}");
        assert!(told.starts_with("failed: "), "{told}");
    }
}

#[test]
fn rsa_as_before_tls12() {
    if !is_there() {
        return;
    }
    // MD5 and SHA-1 side by side, which `pkeyutl` does not hash.
    let sums = [
        md5::Digest::finalize(<md5::Md5 as md5::Digest>::new_with_prefix(MESSAGE)).to_vec(),
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, MESSAGE).as_ref().to_vec(),
    ];
    for bits in ["1024", "2048"] {
        let key = rsa(bits);
        let signature = key.sign_message(&sums.concat(), &["-pkeyopt", "rsa_padding_mode:pkcs1"]);
        check_all(&key, &OLD, None, &signature);
        // What stands there of a scheme counts from TLS 1.2 on.
        check_all(&key, &OLD, Some(0x0804), &signature);
    }
}

#[test]
fn rsa_by_pss() {
    if !is_there() {
        return;
    }
    let pss = ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt"];
    let key = rsa("2048");
    for (scheme, digest) in [(0x0804, "sha256"), (0x0805, "sha384"), (0x0806, "sha512")] {
        let digest = ["-rawin", "-digest", digest];
        check_all(
            &key,
            &BOTH,
            Some(scheme),
            &key.sign(&[&digest, &pss[..], &["rsa_pss_saltlen:digest"]].concat()),
        );
        // One that only says so is none of RSASSA-PSS keys.
        let told = told(&key.certificate, Version::TLS13, Some(SignatureScheme(scheme + 5)), &[1]);
        assert!(told.ends_with("which is none of a key of RSA"), "{told}");
    }
    for salt in ["rsa_pss_saltlen:20", "rsa_pss_saltlen:max", "rsa_pss_saltlen:0"] {
        let signature = key.sign(&[&RAW_SHA256, &pss[..], &[salt]].concat());
        let told = told(&key.certificate, Version::TLS13, Some(SignatureScheme(0x0804)), &signature);
        assert!(told.starts_with("mxray cannot check a PSS signature whose salt is not as long"), "{told}");
    }
}

#[test]
fn rsa_keys_for_pss_alone() {
    if !is_there() {
        return;
    }
    let free = Openssl::key(&["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let bound = |salt: &str| {
        let bits = ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"];
        let hash = ["-pkeyopt", "rsa_pss_keygen_md:sha256", "-pkeyopt", "rsa_pss_keygen_mgf1_md:sha256"];
        Openssl::key(&[&bits[..], &hash, &["-pkeyopt", salt]].concat())
    };
    let sign = |key: &Openssl| key.sign(&[&RAW_SHA256[..], &["-pkeyopt", "rsa_pss_saltlen:32"]].concat());
    let usual = bound("rsa_pss_keygen_saltlen:32");
    for key in [&free, &usual] {
        check_all(key, &BOTH, Some(0x0809), &sign(key));
        let told = told(&key.certificate, Version::TLS12, Some(SignatureScheme(0x0804)), &[1]);
        assert!(told.ends_with("which is none of a key of RSASSA-PSS"), "{told}");
    }
    let long = bound("rsa_pss_keygen_saltlen:64");
    for (key, scheme) in [(&long, 0x0809), (&usual, 0x080a)] {
        let told = told(&key.certificate, Version::TLS13, Some(SignatureScheme(scheme)), &[1]);
        assert_eq!(told, "mxray cannot check a signature by an RSASSA-PSS key with parameters of its own");
    }
}

#[test]
fn ecdsa_of_every_curve_and_hash() {
    if !is_there() {
        return;
    }
    const P384: u16 = 0x0503;
    for (name, versions, schemes) in [
        ("P-256", &BOTH[..], &[(0x0403, "sha256")][..]),
        ("P-256", &TLS12, &[(P384, "sha384"), (0x0603, "sha512"), (0x0203, "sha1")]),
        ("P-384", &BOTH, &[(P384, "sha384")]),
        ("P-384", &TLS12, &[(0x0403, "sha256"), (0x0603, "sha512")]),
        ("P-521", &BOTH, &[(0x0603, "sha512")]),
        (
            "P-521",
            &TLS12,
            &[(0x0403, "sha256"), (P384, "sha384"), (0x0203, "sha1"), (SHA224_ECDSA.0, "sha224")],
        ),
        ("secp256k1", &TLS12, &[(0x0403, "sha256")]),
    ] {
        let key = curve(name);
        for (scheme, digest) in schemes {
            check_all(&key, versions, Some(*scheme), &key.sign(&["-rawin", "-digest", digest]));
        }
    }
    let key = curve("P-256");
    check_all(&key, &OLD, None, &key.sign(&RAW_SHA1));
    // TLS 1.3 fixes the curve.
    let told = told(&key.certificate, Version::TLS13, Some(SignatureScheme(P384)), &key.sign(&RAW_SHA256));
    assert!(told.ends_with("which is none of the curve of the key"), "{told}");
}

#[test]
fn ed25519() {
    if !is_there() {
        return;
    }
    let key = Openssl::key(&["-algorithm", "ED25519"]);
    check_all(&key, &BOTH, Some(0x0807), &key.sign(&["-rawin"]));
}

#[test]
fn what_the_library_lacks_is_our_limit_whatever_the_signature_is() {
    if !is_there() {
        return;
    }
    let explicit = ["-pkeyopt", "ec_param_enc:explicit"];
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for (key, version, scheme, expected) in [
        (rsa("512"), Version::TLS12, Some(0x0401), "this signature by an RSA key of 512 bits"),
        (rsa("512"), Version::TLS10, None, "this signature by an RSA key of 512 bits"),
        (rsa("1024"), Version::TLS13, Some(0x0804), "this signature by an RSA key of 1024 bits"),
        (rsa("1024"), Version::TLS12, Some(SHA224.0), "a signature with this hash"),
        (Openssl::key(&["-algorithm", "ED448"]), Version::TLS13, Some(0x0808), "a signature of ed448"),
        (
            curve("brainpoolP256r1"),
            Version::TLS12,
            Some(0x0403),
            "a signature on the curve 1.3.36.3.3.2.8.1.1.7",
        ),
        (curve("secp224r1"), Version::TLS12, Some(0x0403), "a signature on the curve 1.3.132.0.33"),
        (curve("P-384"), Version::TLS10, None, "a signature with this hash"),
        (Openssl::dsa(), Version::TLS12, Some(DSA_SHA256.0), "a signature of 0x0402"),
        (Openssl::dsa(), Version::TLS11, None, "a signature of DSA"),
        (
            Openssl::key(&[&p256[..], &explicit].concat()),
            Version::TLS13,
            Some(0x0403),
            "a signature by a key whose curve is written out",
        ),
    ] {
        for signature in [&b"no signature"[..], &[0x30, 0]] {
            let told = told(&key.certificate, version, scheme.map(SignatureScheme), signature);
            assert_eq!(told, format!("mxray cannot check {expected}"));
        }
    }
}

/// A certificate like this with another public key; nobody looks at its own
/// signature here.
fn with_key(certificate: &[u8], info: &[u8]) -> Vec<u8> {
    let old = subject_public_key_info(certificate).unwrap();
    let at = certificate.windows(old.len()).position(|window| window == old).unwrap();
    let mut body = certificate.to_vec();
    body.splice(at..at + old.len(), info.iter().copied());
    let growth = info.len() as isize - old.len() as isize;
    for header in [2, 6] {
        let length = u16::from_be_bytes([body[header], body[header + 1]]);
        let length = length.checked_add_signed(i16::try_from(growth).unwrap()).unwrap();
        body[header..header + 2].copy_from_slice(&length.to_be_bytes());
    }
    body
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn rsa_info(algorithm: &[u8], modulus: &[u8]) -> Vec<u8> {
    let key = element(0x30, &[element(2, modulus), vec![2, 3, 1, 0, 1]].concat());
    element(0x30, &[algorithm, &element(3, &[&[0], &key[..]].concat())].concat())
}

const RSA_WITH_NULL: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

#[test]
fn an_rsa_key_over_8192_bits_is_our_limit() {
    if !is_there() {
        return;
    }
    let host = rsa("2048");
    let modulus = [&[0][..], &[0xff; 2048]].concat();
    let certificate = with_key(&host.certificate, &rsa_info(&RSA_WITH_NULL, &modulus));
    for (version, scheme) in
        [(Version::TLS13, Some(0x0804)), (Version::TLS12, Some(0x0401)), (Version::TLS10, None)]
    {
        let told = told(&certificate, version, scheme.map(SignatureScheme), &[7; 2048]);
        assert_eq!(told, "mxray cannot check this signature by an RSA key of 16384 bits");
    }
}

#[test]
fn an_rsa_key_without_null_is_checked_all_the_same() {
    if !is_there() {
        return;
    }
    let key = rsa("2048");
    let info = subject_public_key_info(&key.certificate).unwrap();
    // The BIT STRING behind the algorithm, as it was.
    let without = [&[0x30, 11][..], &RSA_WITH_NULL[2..13]].concat();
    let info = element(0x30, &[&without, &info[4 + RSA_WITH_NULL.len()..]].concat());
    let certificate = with_key(&key.certificate, &info);
    assert!(has_usual_key(&key.certificate) && !has_usual_key(&certificate));
    let signature = key.sign(&RAW_SHA256);
    let scheme = Some(SignatureScheme(0x0401));
    assert_eq!(told(&certificate, Version::TLS12, scheme, &signature), "verified");
    assert_eq!(told(&certificate, Version::TLS12, scheme, &[7; 256]), FAILED);
}

#[test]
fn points_in_other_forms() {
    if !is_there() {
        return;
    }
    let key = curve("P-256");
    let signature = key.sign(&RAW_SHA256);
    let info = subject_public_key_info(&key.certificate).unwrap();
    let (head, point) = info.split_at(info.len() - 65);
    let parity = point[64] & 1;
    let with_point = |point: &[u8]| {
        let mut info = [head, point].concat();
        info[1] = u8::try_from(info.len() - 2).unwrap();
        let bits = info.len() - point.len() - 2;
        info[bits] = u8::try_from(point.len() + 1).unwrap();
        let mut certificate = key.certificate.clone();
        let old = subject_public_key_info(&key.certificate).unwrap();
        let at = certificate.windows(old.len()).position(|window| window == old).unwrap();
        let shorter = old.len() - info.len();
        certificate.splice(at..at + old.len(), info);
        for header in [2, 6] {
            let length = u16::from_be_bytes([certificate[header], certificate[header + 1]]);
            let length = length - u16::try_from(shorter).unwrap();
            certificate[header..header + 2].copy_from_slice(&length.to_be_bytes());
        }
        told(&certificate, Version::TLS13, Some(SignatureScheme(0x0403)), &signature)
    };
    assert_eq!(with_point(point), "verified");
    let hybrid = [&[6 + parity], &point[1..]].concat();
    assert_eq!(with_point(&hybrid), "verified");
    let compressed = [&[2 + parity], &point[1..33]].concat();
    assert_eq!(with_point(&compressed), "verified");
    let mut off_curve = point.to_vec();
    off_curve[64] ^= 1;
    assert_eq!(with_point(&off_curve), "failed: the key of the certificate is no point of its curve");
}

#[test]
fn a_scheme_that_was_not_offered_is_refused_before_anything_else() {
    if !is_there() {
        return;
    }
    let key = rsa("2048");
    let signature = key.sign(&RAW_SHA1);
    for version in BOTH {
        for scheme in [0x0808, 0x0809, 0x9999] {
            let refused =
                Verifier::new(&key.certificate, version, Some(SignatureScheme(scheme)), &OFFERED_SCHEMES);
            assert!(matches!(refused, Err(SignatureRefusal::NotOffered(_))), "{scheme:#x} {version}");
        }
    }
    assert_eq!(told(&key.certificate, Version::TLS12, Some(SignatureScheme(0x0201)), &signature), "verified");
}

/// A scheme of each kind of key.
const OF_KINDS: [(u16, &str); 16] = [
    (0x0101, "RSA"),
    (0x0301, "RSA"),
    (0x0401, "RSA"),
    (0x0804, "RSA"),
    (0x0809, "RSASSA-PSS"),
    (0x0303, "ECDSA"),
    (0x0403, "ECDSA"),
    (0x0503, "ECDSA"),
    (0x0603, "ECDSA"),
    (0x081a, "ECDSA"),
    (0x0202, "DSA"),
    (0x0402, "DSA"),
    (0x0807, "Ed25519"),
    (0x0808, "Ed448"),
    (0x0904, "ML-DSA"),
    (0x0906, "ML-DSA"),
];

/// Whatever the library has of the key or of the scheme: OpenSSL calls it a
/// wrong signature type. Under a scheme that fits, it is nothing of that sort.
#[test]
fn a_scheme_of_another_kind_of_key_fails() {
    if !is_there() {
        return;
    }
    for (name, key) in [
        ("RSA", rsa("1024")),
        ("RSA", rsa("512")),
        ("RSASSA-PSS", Openssl::key(&["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"])),
        ("ECDSA", curve("P-256")),
        ("ECDSA", curve("brainpoolP256r1")),
        ("ECDSA", curve("secp224r1")),
        ("DSA", Openssl::dsa()),
        ("Ed25519", Openssl::key(&["-algorithm", "ED25519"])),
        ("Ed448", Openssl::key(&["-algorithm", "ED448"])),
    ] {
        for (scheme, kind) in OF_KINDS {
            for version in BOTH {
                let scheme = SignatureScheme(scheme);
                let told = told(&key.certificate, version, Some(scheme), &[1]);
                let old = told.ends_with("which TLS 1.3 does not have");
                let expected = format!("failed: signed with {scheme}, which is none of a key of {name}");
                assert_eq!(told == expected, kind != name && !old, "{name} {scheme} {version}: {told}");
            }
        }
    }
}

/// No certificate signs with a key that is there to agree on a secret.
#[test]
fn a_key_that_cannot_sign_fails_under_every_scheme() {
    if !is_there() {
        return;
    }
    let host = rsa("2048");
    // X25519 (RFC 8410 §4): nobody looks at its 32 bytes.
    let info = [&[0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 110, 3, 33, 0][..], &[9; 32]].concat();
    let certificate = with_key(&host.certificate, &info);
    for (scheme, _) in OF_KINDS {
        let told = told(&certificate, Version::TLS12, Some(SignatureScheme(scheme)), &[1]);
        assert!(told.starts_with("failed: ") && told.contains("which is none of a key of "), "{told}");
    }
}

#[test]
fn the_curve_of_brainpool_is_that_of_its_scheme() {
    if !is_there() {
        return;
    }
    let lacking = "mxray cannot check a signature of ";
    for (name, scheme, fits) in [
        ("brainpoolP256r1", 0x081a, true),
        ("brainpoolP384r1", 0x081b, true),
        ("brainpoolP512r1", 0x081c, true),
        ("brainpoolP256r1", 0x081b, false),
        ("P-256", 0x081a, false),
        ("brainpoolP256r1", 0x0403, false),
    ] {
        let told = told(&curve(name).certificate, Version::TLS13, Some(SignatureScheme(scheme)), &[1]);
        assert_eq!(told.starts_with(lacking), fits, "{name} {scheme:#x}: {told}");
        assert_eq!(told.ends_with("which is none of the curve of the key"), !fits, "{told}");
    }
}

/// Of which OpenSSL 3.0 has none: signed by the library.
#[test]
fn ml_dsa() {
    if !is_there() {
        return;
    }
    use aws_lc_rs::signature::{KeyPair, ML_DSA_65_SIGNING, PqdsaKeyPair};
    let key = PqdsaKeyPair::generate(&ML_DSA_65_SIGNING).unwrap();
    let mut signature = vec![0; ML_DSA_65_SIGNING.signature_len()];
    key.sign(MESSAGE, &mut signature).unwrap();
    let oid = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
    let bits = element(3, &[&[0], key.public_key().as_ref()].concat());
    let host = rsa("2048");
    let certificate = with_key(&host.certificate, &element(0x30, &[&oid[..], &bits].concat()));
    let told =
        |signature: &[u8]| told(&certificate, Version::TLS13, Some(SignatureScheme(0x0905)), signature);
    assert_eq!(told(&signature), "verified");
    signature[9] ^= 1;
    assert_eq!(told(&signature), FAILED);
}
