//! `mxray revocation` about answers that OpenSSL makes, by the issuer and by
//! responders with every kind of certificate, held against what OpenSSL says
//! of each.

use crate::command::Folder;
use crate::revocation::{Ca, ask, ca, folder, http, serve};
use rcgen::{
    CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, KeyPair, SerialNumber, date_time_ymd,
};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Set where nothing may be left out, as in CI; `tests/interop` heeds it, too.
const ALL: &str = "MXRAY_INTEROP_ALL";

/// Whether OpenSSL is there. Says so if not, past what the test harness holds
/// back of tests that pass.
fn is_there() -> bool {
    let found = Command::new("openssl").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        assert!(std::env::var_os(ALL).is_none(), "missing, and {ALL} is set: openssl");
        let _ = writeln!(std::io::stderr(), "left out: openssl");
    }
    found.is_ok()
}

/// Runs `openssl ocsp` in the folder and gives all that it says.
fn ocsp(folder: &Folder, words: &str) -> String {
    let mut command = Command::new("openssl");
    command.arg("ocsp").args(words.split_whitespace()).current_dir(folder.path());
    let output = command.output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A certificate of a responder, as `change` has it.
fn responder(by: &Ca, key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Responder");
    params.serial_number = Some(SerialNumber::from(99_u64));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.custom_extensions = vec![no_check()];
    change(&mut params);
    params.signed_by(key, by).unwrap().pem()
}

/// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
fn no_check() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0])
}

/// One way to sign an answer, and what is told of it.
struct Case {
    name: &'static str,
    /// Certificate of the responder; `None` where the issuer signs itself.
    responder: Option<String>,
    /// Further words for `openssl ocsp` as the responder.
    words: &'static str,
    told: &'static str,
}

#[test]
fn answers_count_as_openssl_counts_them() {
    if !is_there() {
        return;
    }
    let (issuer, other) = (ca(), ca());
    let key = KeyPair::generate().unwrap();
    let by = |name, told, by: &Ca, change: fn(&mut CertificateParams)| Case {
        name,
        responder: Some(responder(by, &key, change)),
        words: "",
        told,
    };
    let own = |name, words, told| Case { name, responder: None, words, told };
    let verified = "signature verified";
    for case in [
        own("issuer", "", verified),
        own("sha1", "-sha1", verified),
        own("sha224", "-sha224", verified),
        own("sha256", "-sha256", verified),
        own("sha384", "-sha384", verified),
        own("sha512", "-sha512", verified),
        own("sha3", "-sha3-256", verified),
        own(
            "md5",
            "-md5",
            "unknown: the answer names the issuer by a digest that is not known here, 1.2.840.113549.2.5",
        ),
        by("charged", verified, &issuer, |_| {}),
        by(
            "without nocheck",
            "its signer's certificate has no id-pkix-ocsp-nocheck, and whether it is revoked was not asked",
            &issuer,
            |params| params.custom_extensions.clear(),
        ),
        by(
            "not for OCSP",
            "unknown: its signer's certificate is not for OCSP: it lacks id-kp-OCSPSigning",
            &issuer,
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        ),
        by(
            "for anything",
            "unknown: its signer's certificate is not for OCSP: it lacks id-kp-OCSPSigning",
            &issuer,
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
        ),
        by(
            "expired",
            "unknown: its signer's certificate has expired, on 2021-01-01T00:00:00Z",
            &issuer,
            |params| params.not_after = date_time_ymd(2021, 1, 1),
        ),
        by(
            "not yet valid",
            "unknown: its signer's certificate is not valid before 2990-01-01T00:00:00Z",
            &issuer,
            |params| params.not_before = date_time_ymd(2990, 1, 1),
        ),
        by(
            "of another CA",
            "unknown: its signer's certificate is not issued by this certificate's issuer",
            &other,
            |_| {},
        ),
        Case {
            words: "-resp_no_certs",
            ..by(
                "without its certificate",
                "unknown: it is signed by a responder whose certificate it does not have",
                &issuer,
                |_| {},
            )
        },
    ] {
        check(&case, &issuer, &key);
    }
}

fn check(case: &Case, issuer: &Ca, key: &KeyPair) {
    let Case { name, responder, words, told } = case;
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let served = bytes.clone();
    let (base, _requests) = serve(move |_| Some(http("200 OK", &served.lock().unwrap())));
    let folder = folder(issuer, 6, &[], &[format!("{base}/ocsp")]);
    let signer = responder.as_ref().map_or((issuer.pem(), issuer.key()), |pem| (pem.clone(), key));
    folder.write("ca.pem", issuer.pem());
    folder.write("signer.pem", signer.0);
    folder.write("signer.key", signer.1.serialize_pem());
    folder.write("index.txt", "V\t991231235959Z\t\t06\tunknown\t/CN=mx.example\n");
    // The digest has to stand before the certificate.
    let (digest, rest) = if words.starts_with("-resp") { ("", *words) } else { (*words, "") };
    let about = format!("-issuer ca.pem {digest} -cert chain.pem -no_nonce");
    let made = ocsp(
        &folder,
        &format!(
            "-index index.txt -CA ca.pem -rsigner signer.pem -rkey signer.key -ndays 7 {rest} {about} \
             -respout answer.der"
        ),
    );
    let answer = std::fs::read(folder.path().join("answer.der")).unwrap_or_else(|_| panic!("{name}: {made}"));
    *bytes.lock().unwrap() = answer;
    let openssl = ocsp(&folder, &format!("-respin answer.der {about} -CAfile ca.pem"));
    let counts = openssl.contains("Response verify OK") && openssl.contains("chain.pem: good");
    let ran = ask(&folder, "--allow-private");
    assert!(ran.stdout.contains(told), "{name}: {}{}\n{openssl}", ran.stdout, ran.stderr);
    let good = ran.stdout.contains("good: ") && ran.stdout.contains("signature verified");
    let digest_is_known = *name != "md5";
    assert_eq!(good, counts && digest_is_known, "{name}: {}\n{openssl}", ran.stdout);
    assert_eq!(ran.code, Some(if good { 0 } else { 4 }), "{name}");
}
