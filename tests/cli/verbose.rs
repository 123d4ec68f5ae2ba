//! `-vv`: the story of each lookup and session on standard error.

use crate::fleet::Lab;
use serde_json::Value;

/// What mxray itself says of a probe, numbers left out.
fn story(lab: &Lab, verbose: &str) -> Vec<String> {
    let ran =
        lab.folder.run(lab.args(&format!("probe d1.example --allow-private --per-ip-interval 0{verbose}")));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stderr.lines().map(|line| line.split(" us=").next().unwrap_or(line).trim().to_string()).collect()
}

/// Whether `steps` stand in the lines of one span, in this order.
fn tells(story: &[String], span: &str, steps: &[&str]) -> bool {
    let mut lines = story.iter().filter(|line| line.contains(span));
    steps.iter().all(|step| lines.any(|line| line.contains(step)))
}

#[test]
fn twice_tells_every_step_of_a_session() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let story = story(&lab, " -vv");
    let questions =
        ["question name=d1.example. record_type=MX", "answer name=d1.example. record_type=MX records=1"];
    assert!(tells(&story, "lookup{target=\"d1.example\"}", &questions), "{story:#?}");
    let place = &lab.fleet.endpoints()[0];
    let span = format!(
        "session{{address={}:{} host=\"{}\" attempt=1}}",
        place.ip,
        lab.fleet.smtp_port(),
        place.host
    );
    let steps = [
        "connected",
        "greeting code=220",
        "EHLO code=250",
        "STARTTLS code=220",
        "handshake version=TLSv1.3 suite=TLS_AES_256_GCM_SHA384 ",
        "EHLO inside TLS code=250",
        "QUIT code=221",
        "session ended: ok",
    ];
    assert!(tells(&story, &span, &steps), "{story:#?}");
}

#[test]
fn twice_tells_of_a_refusal_and_of_further_client_hellos() {
    let lab = Lab::playing(&["tls10_only"], 1);
    let story = story(&lab, " -vv");
    assert!(
        tells(&story, "attempt=1}", &["STARTTLS code=220", "handshake failed failure=tls: "]),
        "{story:#?}"
    );
    assert!(
        tells(
            &story,
            "client_hello=Sender version=TLSv1.3}",
            &["connected", "STARTTLS", "session ended: agreed version=TLSv1.0"]
        ),
        "{story:#?}"
    );
}

#[test]
fn once_or_never_tells_nothing_of_that() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    for verbose in ["", " -v"] {
        assert_eq!(story(&lab, verbose), [""; 0], "{verbose}");
    }
}

#[test]
fn standard_error_as_json_is_json_to_its_last_line() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    lab.folder.write("empty", "");
    for words in [
        "scan list --allow-private --format csv --log json -vv",
        "scan list --allow-private -o run --log json",
        "scan empty --format csv --log json --require-targets",
        "scan list --format csv --log json --blocklist missing",
    ] {
        let ran = lab.folder.run(lab.args(words));
        let lines: Vec<Value> = ran
            .stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{words}: {error}: {line}")))
            .collect();
        assert!(!lines.is_empty(), "{words}");
        for line in &lines {
            assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
            assert!(["DEBUG", "INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
            assert!(line["fields"].is_object() && line["target"].is_string(), "{line}");
        }
        let story =
            lines.iter().any(|line| line["fields"]["message"] == "greeting" && line["fields"]["code"] == 220);
        assert_eq!(story, words.contains("-vv"), "{words}");
    }
}
