//! The rules of the dialogue, one by one.

use super::super::reply::REPLY_LINES_MAX;
use super::*;
use crate::model::SmtpCommand;

#[path = "client_stream_tests.rs"]
mod streams;

const GREETING: &str = "220 mx.example ESMTP\r\n";
const EHLO: &str = "250-mx.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";

fn session() -> SmtpClient {
    SmtpClient::new(EhloName::new("scan.example").unwrap())
}

/// A server that says one thing after each command and then hangs up.
/// Returns what the client said, and the dialogue.
fn play(turns: &[&str]) -> (String, Dialogue) {
    let mut session = session();
    let mut turns = turns.iter();
    let mut said = String::new();
    loop {
        match session.next() {
            SmtpAction::Read => match turns.next() {
                Some(turn) => session.receive(turn.as_bytes()),
                None => session.receive_eof(false),
            },
            SmtpAction::Write(command) => {
                let verb = command.split(|b| *b == b' ' || *b == b'\r').next().unwrap();
                said.push_str(std::str::from_utf8(verb).unwrap());
                said.push(' ');
            }
            SmtpAction::Upgrade => {
                said.push_str("TLS ");
                session.upgraded();
            }
            SmtpAction::Done => return (said.trim_end().to_string(), session.into_dialogue()),
        }
    }
}

/// Phase, kind and code of a failure, as `starttls refused 502`.
fn told(dialogue: &Dialogue) -> String {
    match &dialogue.failure {
        None => "ok".into(),
        Some(Failure { phase, kind, reply_code: Some(code), .. }) => format!("{phase} {kind} {code}"),
        Some(Failure { phase, kind, .. }) => format!("{phase} {kind}"),
    }
}

#[test]
fn a_whole_dialogue_fails_nowhere() {
    let (said, dialogue) = play(&[GREETING, EHLO, "220 go\r\n", "250 mx.example\r\n", "221 bye\r\n"]);
    assert_eq!(said, "EHLO STARTTLS TLS EHLO QUIT");
    assert_eq!(dialogue.failure, None);
    let codes = [dialogue.greeting, dialogue.ehlo, dialogue.starttls, dialogue.ehlo_tls, dialogue.quit]
        .map(|reply| reply.map(|r| r.code));
    assert_eq!(codes, [Some(220), Some(250), Some(220), Some(250), Some(221)]);
    assert_eq!(dialogue.helo, None);
}

/// What the server says in turn, what that comes to, and what the client says.
type Lead<'t> = (&'t [&'t str], &'t str, &'t str);

fn every_reply_leads(table: &[Lead<'_>]) {
    for (turns, failure, said) in table {
        let (heard, dialogue) = play(turns);
        assert_eq!((told(&dialogue).as_str(), heard.as_str()), (*failure, *said), "{turns:?}");
    }
}

#[test]
fn greetings_lead_where_the_table_says() {
    every_reply_leads(&[
        (&["421 busy\r\n"][..], "greeting throttled 421", ""),
        (&["450 later\r\n", "221\r\n"], "greeting tempfail 450", "QUIT"),
        (&["554 no\r\n", "221\r\n"], "greeting rejected 554", "QUIT"),
        (&["250 hello\r\n"], "greeting unexpected_code 250", "QUIT"),
        (&["354 hello\r\n"], "greeting unexpected_code 354", "QUIT"),
        (&["221 bye\r\n"], "greeting unexpected_code 221", ""),
        (&["530 no\r\n"], "greeting rejected 530", "QUIT"),
        (&["SSH-2.0-OpenSSH_9.6\r\n"], "greeting not_smtp", ""),
        (&["220-a\r\nb\r\n"], "greeting malformed", ""),
        (&["220-a\r\n250 b\r\n"], "greeting malformed", ""),
        (&[], "greeting closed", ""),
    ]);
}

#[test]
fn answers_to_ehlo_lead_where_the_table_says() {
    let changing = "250-mx\r\n251 STARTTLS\r\n";
    every_reply_leads(&[
        (&[GREETING], "ehlo closed", "EHLO"),
        (&[GREETING, "421 busy\r\n"], "ehlo throttled 421", "EHLO"),
        (&[GREETING, "451 later\r\n"], "ehlo tempfail 451", "EHLO QUIT"),
        (&[GREETING, "220 what\r\n"], "ehlo unexpected_code 220", "EHLO QUIT"),
        (&[GREETING, "200-mx\r\n200 STARTTLS\r\n"], "ehlo unexpected_code 200", "EHLO QUIT"),
        (&[GREETING, "221 bye\r\n"], "ehlo unexpected_code 221", "EHLO"),
        (&[GREETING, "530 5.7.0 first\r\n"], "ehlo tls_required 530", "EHLO QUIT"),
        (&[GREETING, "502 no\r\n", "530 first\r\n"], "ehlo tls_required 530", "EHLO HELO QUIT"),
        (&[GREETING, "what\r\n"], "ehlo malformed", "EHLO"),
        (&[GREETING, changing], "ehlo malformed", "EHLO"),
        (&[GREETING, "502 no\r\n", "250 mx\r\n"], "ehlo helo_only 502", "EHLO HELO QUIT"),
        (&[GREETING, "502 no\r\n", "250-mx\r\n250 STARTTLS\r\n"], "ehlo helo_only 502", "EHLO HELO QUIT"),
        (&[GREETING, "503 no\r\n", "250 mx\r\n"], "ehlo helo_only 503", "EHLO HELO QUIT"),
        (&[GREETING, "501 name\r\n", "250 mx\r\n"], "ehlo rejected 501", "EHLO HELO QUIT"),
        (&[GREETING, "521 no mail\r\n", "250 mx\r\n"], "ehlo rejected 521", "EHLO HELO QUIT"),
        (&[GREETING, "550 5.7.1 you\r\n", "250 mx\r\n"], "ehlo rejected 550", "EHLO HELO QUIT"),
        (&[GREETING, "250-mx\r\n421 busy\r\n"], "ehlo throttled 421", "EHLO"),
        (&[GREETING, "502 no\r\n", "550 no\r\n"], "ehlo rejected 550", "EHLO HELO QUIT"),
        (&[GREETING, "502 no\r\n", "450 no\r\n"], "ehlo tempfail 450", "EHLO HELO QUIT"),
        (&[GREETING, "502 no\r\n", "421 no\r\n"], "ehlo throttled 421", "EHLO HELO"),
        (&[GREETING, "502 no\r\n", "354 no\r\n"], "ehlo unexpected_code 354", "EHLO HELO QUIT"),
        (&[GREETING, "502 no\r\n"], "ehlo rejected 502", "EHLO HELO"),
    ]);
}

#[test]
fn answers_to_starttls_lead_where_the_table_says() {
    let mangled = "250-mx\r\n250 XXXXXXXA\r\n";
    every_reply_leads(&[
        (&[GREETING, "250 mx\r\n"], "starttls not_offered", "EHLO QUIT"),
        (&[GREETING, "250-STARTTLS\r\n250 SIZE\r\n"], "starttls not_offered", "EHLO QUIT"),
        (&[GREETING, mangled], "starttls keyword_mangled", "EHLO QUIT"),
        (&[GREETING, EHLO], "starttls closed", "EHLO STARTTLS"),
        (&[GREETING, EHLO, "421 busy\r\n"], "starttls throttled 421", "EHLO STARTTLS"),
        (&[GREETING, EHLO, "454 later\r\n"], "starttls refused_temporarily 454", "EHLO STARTTLS QUIT"),
        (&[GREETING, EHLO, "502 no\r\n"], "starttls refused 502", "EHLO STARTTLS QUIT"),
        (&[GREETING, EHLO, "250 what\r\n"], "starttls unexpected_code 250", "EHLO STARTTLS QUIT"),
        (&[GREETING, EHLO, "221 bye\r\n"], "starttls unexpected_code 221", "EHLO STARTTLS"),
        (&[GREETING, EHLO, "530 first\r\n"], "starttls tls_required 530", "EHLO STARTTLS QUIT"),
        (&[GREETING, EHLO, "554 5.7.1 you\r\n"], "starttls rejected 554", "EHLO STARTTLS QUIT"),
        (&[GREETING, EHLO, "554 5.7.4 no\r\n"], "starttls refused 554", "EHLO STARTTLS QUIT"),
    ]);
}

#[test]
fn replies_inside_tls_lead_where_the_table_says() {
    every_reply_leads(&[
        (&[GREETING, EHLO, "220 go\r\n"], "after_tls closed", "EHLO STARTTLS TLS EHLO"),
        (&[GREETING, EHLO, "220 go\r\n", "421\r\n"], "after_tls throttled 421", "EHLO STARTTLS TLS EHLO"),
        (
            &[GREETING, EHLO, "220 go\r\n", "503 no\r\n"],
            "after_tls ehlo_rejected 503",
            "EHLO STARTTLS TLS EHLO QUIT",
        ),
        (
            &[GREETING, EHLO, "220 go\r\n", "451 later\r\n"],
            "after_tls tempfail 451",
            "EHLO STARTTLS TLS EHLO QUIT",
        ),
        (
            &[GREETING, EHLO, "220 go\r\n", "220 mx\r\n"],
            "after_tls unexpected_code 220",
            "EHLO STARTTLS TLS EHLO QUIT",
        ),
        (
            &[GREETING, EHLO, "220 go\r\n", "354 go on\r\n"],
            "after_tls unexpected_code 354",
            "EHLO STARTTLS TLS EHLO QUIT",
        ),
        (&[GREETING, EHLO, "220 go\r\n", "what\r\n"], "after_tls malformed", "EHLO STARTTLS TLS EHLO"),
    ]);
}

#[test]
fn nothing_around_quit_is_a_failure() {
    for last in ["", "500 what\r\n", "421 no\r\n", "garbage\r\n", "221-a\r\n222 b\r\n", "half a line"] {
        let (_, dialogue) = play(&[GREETING, EHLO, "220 go\r\n", "250 mx\r\n", last]);
        assert_eq!(told(&dialogue), "ok", "{last}");
        let (_, dialogue) = play(&[GREETING, "250 mx\r\n", last]);
        let denied = if last.starts_with("421") { "ehlo throttled 421" } else { "starttls not_offered" };
        assert_eq!(told(&dialogue), denied, "{last}");
    }
}

#[test]
fn limits_end_the_dialogue_in_their_phase() {
    let endless = "250-and so on\r\n".repeat(REPLY_LINES_MAX + 1);
    let wide = "x".repeat(REPLY_LINE_BYTES_MAX);
    assert_eq!(told(&play(&[GREETING, &endless]).1), "ehlo too_long");
    assert_eq!(told(&play(&[&wide]).1), "greeting too_long");
    assert_eq!(told(&play(&[GREETING, EHLO, "220 go\r\n", &endless]).1), "after_tls too_long");
}

#[test]
fn deadlines_fail_the_phase_they_stand_for() {
    let turns = [GREETING, EHLO, "220 go\r\n", "250 mx\r\n"];
    let expected = [
        (Phase::Greeting, "greeting timeout"),
        (Phase::Ehlo, "ehlo timeout"),
        (Phase::Starttls, "starttls timeout"),
        (Phase::AfterTls, "after_tls timeout"),
        (Phase::Quit, "ok"),
    ];
    for (rounds, (phase, failure)) in expected.into_iter().enumerate() {
        let mut session = session();
        for turn in &turns[..rounds] {
            session.receive(turn.as_bytes());
            while let SmtpAction::Write(_) = session.next() {}
            session.upgraded();
            while let SmtpAction::Write(_) = session.next() {}
        }
        assert_eq!(session.phase(), phase);
        session.timed_out();
        assert_eq!(session.next(), SmtpAction::Done);
        assert_eq!(told(&session.into_dialogue()), failure);
    }
}

#[test]
fn the_end_of_the_stream_says_what_was_left_unsaid() {
    for (reset, bytes, detail) in [
        (false, "", None),
        (true, "", Some("connection reset")),
        (false, "\x16\x03", Some(r"after an unfinished line: \x16\x03")),
        (true, "220-half", Some("connection reset after an unfinished line: 220-half")),
    ] {
        let mut session = session();
        session.receive(bytes.as_bytes());
        session.receive_eof(reset);
        let failure = session.into_dialogue().failure.unwrap();
        assert_eq!((failure.kind, failure.detail.as_deref()), (Kind::Closed, detail));
    }
}

#[test]
fn refusals_are_quoted() {
    let (_, dialogue) = play(&["554-\r\n554 5.7.1 blocked\r\n"]);
    assert_eq!(dialogue.failure.unwrap().detail.as_deref(), Some("5.7.1 blocked"));
}

#[test]
fn plaintext_after_the_220_is_kept_apart() {
    for cut in 0..20 {
        let mut session = session();
        for bytes in [GREETING, EHLO] {
            session.receive(bytes.as_bytes());
            while let SmtpAction::Write(_) = session.next() {}
        }
        let stream = b"220 go\r\n250 inj\xff\r\n";
        let (first, second) = stream.split_at(cut.min(stream.len()));
        session.receive(first);
        session.receive(second);
        assert_eq!(session.next(), SmtpAction::Upgrade);
        assert_eq!(session.phase(), Phase::Tls);
        session.upgraded();
        assert_eq!(session.next(), SmtpAction::Write(b"EHLO scan.example\r\n"));
        assert_eq!(session.next(), SmtpAction::Read);
        assert_eq!(session.into_dialogue().plaintext_after_starttls, r"250 inj\xff\x0d\x0a");
    }
}

#[test]
fn the_end_counts_after_everything_that_came_before() {
    for (bytes, failure) in [
        (GREETING.to_string(), "ehlo closed"),
        (format!("{GREETING}{EHLO}"), "starttls closed"),
        (format!("{GREETING}{EHLO}220 go\r\n"), "tls closed"),
        (format!("{GREETING}{EHLO}454 no\r\n"), "starttls closed"),
    ] {
        let mut session = session();
        session.receive(bytes.as_bytes());
        session.receive_eof(false);
        while let SmtpAction::Write(_) = session.next() {}
        assert_eq!(session.next(), SmtpAction::Done);
        assert_eq!(told(&session.into_dialogue()), failure);
    }
}

#[test]
fn nothing_is_said_to_a_peer_that_left() {
    let mut session = session();
    session.receive(GREETING.as_bytes());
    session.receive_eof(true);
    assert_eq!(session.next(), SmtpAction::Done);
}

#[test]
fn plaintext_after_starttls_is_no_unfinished_line() {
    let mut session = session();
    for bytes in [GREETING, EHLO, "220 go\r\n250"] {
        session.receive(bytes.as_bytes());
        while let SmtpAction::Write(_) = session.next() {}
    }
    session.receive_eof(false);
    let dialogue = session.into_dialogue();
    assert_eq!(dialogue.failure, Some(Failure::new(Phase::Tls, Kind::Closed)));
    assert_eq!(dialogue.plaintext_after_starttls, "250");
}

#[test]
fn plaintext_after_starttls_is_bounded() {
    let mut session = session();
    for bytes in [GREETING, EHLO, "220 go\r\n"] {
        session.receive(bytes.as_bytes());
        while let SmtpAction::Write(_) = session.next() {}
    }
    for _ in 0..3 {
        session.receive(&[b'x'; PLAINTEXT_BYTES_MAX - 1]);
    }
    let dialogue = session.into_dialogue();
    assert_eq!(
        (dialogue.plaintext_after_starttls.len(), dialogue.plaintext_after_starttls_cut),
        (PLAINTEXT_BYTES_MAX, Some(true))
    );
}

#[test]
fn a_failed_handshake_ends_the_dialogue() {
    let mut session = session();
    for bytes in [GREETING, EHLO, "220 go\r\n"] {
        session.receive(bytes.as_bytes());
        while let SmtpAction::Write(_) = session.next() {}
    }
    session.upgrade_failed(Failure::new(Phase::Tls, Kind::NotTls));
    assert_eq!(session.next(), SmtpAction::Done);
    assert_eq!(told(&session.into_dialogue()), "tls not_tls");
}

#[test]
fn replies_ahead_of_their_question_answer_it() {
    let (said, dialogue) = play(&["220 mx\r\n250-mx\r\n250 STARTTLS\r\n454 later\r\n221 bye\r\n"]);
    assert_eq!(said, "EHLO STARTTLS QUIT");
    assert_eq!(told(&dialogue), "starttls out_of_step 454");
    assert_eq!(unsolicited(&dialogue), [250, 454, 221]);
    assert_eq!(dialogue.quit.map(|reply| reply.code), Some(221));
}

/// Codes of the replies that nobody had asked for.
fn unsolicited(dialogue: &Dialogue) -> Vec<u16> {
    let extra = dialogue.replies().filter(|reply| reply.has(Deviation::UnsolicitedReply));
    extra.map(|reply| reply.code).collect()
}

#[test]
fn one_reply_too_many_and_no_tls_is_no_answer() {
    const NONE: &str = "250-mx\r\n250 SIZE\r\n";
    for (turns, failure, extra) in [
        // In the segment of the one before.
        (&["220 mx\r\n250 early\r\n", EHLO, "221 bye\r\n"][..], "ehlo out_of_step 250", &[250, 250][..]),
        (
            &["220 mx\r\n502 early\r\n", EHLO, "250 mx\r\n", "221 bye\r\n"],
            "ehlo out_of_step 502",
            &[502, 250],
        ),
        (
            &[GREETING, "250-mx\r\n250 STARTTLS\r\n502 no\r\n", "220 go\r\n"],
            "starttls out_of_step 502",
            &[502, 220],
        ),
        (
            &[GREETING, "250-mx\r\n250 STARTTLS\r\n454 not now\r\n", "220 go\r\n"],
            "starttls out_of_step 454",
            &[454, 220],
        ),
        (&[GREETING, "250 mx\r\n221 bye\r\n"], "ehlo out_of_step 250", &[221]),
        // It begins there.
        (&["220 mx\r\n250 ea", "rly\r\n", EHLO, "221 bye\r\n"], "ehlo out_of_step 250", &[250, 250]),
        // A little later: only the count shows it.
        (&[GREETING, NONE, EHLO, "221 bye\r\n"], "ehlo out_of_step 250", &[250]),
        (&[GREETING, "250 mx\r\n", NONE, "221 bye\r\n"], "ehlo out_of_step 250", &[250]),
        (&[GREETING, "502 no\r\n", EHLO, "250 mx\r\n", "221 bye\r\n"], "ehlo out_of_step 502", &[250]),
        (&[GREETING, EHLO, "502 no\r\n", "220 go\r\n"], "starttls out_of_step 502", &[220]),
        (&[GREETING, EHLO, "454 not now\r\n", "220 go\r\n"], "starttls out_of_step 454", &[220]),
        (&[GREETING, EHLO, "502 no\r\n", "502 no\r\n", "221 bye\r\n"], "starttls out_of_step 502", &[502]),
        // Behind the leave.
        (&[GREETING, NONE, "221 bye\r\n250 late\r\n"], "ehlo out_of_step 250", &[250]),
    ] {
        let (_, dialogue) = play(turns);
        let mut seen = unsolicited(&dialogue);
        seen.sort_unstable_by(|a, b| b.cmp(a));
        let mut extra = extra.to_vec();
        extra.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!((told(&dialogue).as_str(), seen), (failure, extra), "{turns:?}");
    }
}

#[test]
fn the_answer_to_quit_is_its_own() {
    let (_, dialogue) = play(&[GREETING, "250 mx\r\n", EHLO, "221 bye\r\n", "250 late\r\n"]);
    assert_eq!(dialogue.quit.as_ref().map(|reply| reply.code), Some(221));
    assert_eq!(dialogue.unsolicited.as_ref().map(Vec::len), Some(1), "it is over with the 221");
    let detail = dialogue.failure.unwrap().detail.unwrap();
    assert_eq!(
        &*detail,
        "starttls: not_offered but for a reply that no command had asked for: 250 mx.example"
    );
}

#[test]
fn an_early_421_is_meant() {
    for (turns, failure) in [
        (&["220 mx\r\n421 busy\r\n"][..], "ehlo throttled 421"),
        (&[GREETING, "250-mx\r\n250 STARTTLS\r\n421 busy\r\n"], "starttls throttled 421"),
        (&[GREETING, "250 mx\r\n421 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, "250 mx\r\n42", "1 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, "250-mx\r\n250 XXXXXXXA\r\n421 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, "502 no\r\n", "250 mx\r\n421 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, EHLO, "502 no\r\n421 busy\r\n"], "starttls throttled 421"),
        (&[GREETING, EHLO, "454 not now\r\n421 busy\r\n"], "starttls throttled 421"),
        // It says more than that, and says it of us.
        (&[GREETING, "530 TLS\r\n421 busy\r\n"], "ehlo tls_required 530"),
        // Whether it comes before QUIT or to it is chance.
        (&[GREETING, "250 mx\r\n", "421 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, EHLO, "502 no\r\n", "421 busy\r\n"], "starttls throttled 421"),
        (&[GREETING, EHLO, "454 not now\r\n", "421 busy\r\n"], "starttls throttled 421"),
        (&[GREETING, "502 no\r\n", "250 mx\r\n", "421 busy\r\n"], "ehlo throttled 421"),
        (&[GREETING, "530 TLS\r\n", "421 busy\r\n"], "ehlo tls_required 530"),
        (&[GREETING, EHLO, "220 go\r\n", "250 mx\r\n", "421 busy\r\n"], "ok"),
        (&[GREETING, EHLO, "220 go\r\n", "250 mx\r\n421 busy\r\n"], "ok"),
    ] {
        let (_, dialogue) = play(turns);
        assert_eq!((told(&dialogue).as_str(), unsolicited(&dialogue)), (failure, vec![]), "{turns:?}");
    }
}

/// A server that says this in turn and goes away of itself, whether or not the
/// client had anything to say.
fn leaves(turns: &[&str], go: impl Fn(&mut SmtpClient)) -> (String, Dialogue) {
    let mut session = session();
    let mut said = String::new();
    for turn in turns {
        while let SmtpAction::Write(command) = session.next() {
            said.push_str(std::str::from_utf8(command).unwrap());
        }
        session.receive(turn.as_bytes());
    }
    go(&mut session);
    while let SmtpAction::Write(command) = session.next() {
        said.push_str(std::str::from_utf8(command).unwrap());
    }
    assert_eq!(session.next(), SmtpAction::Done);
    (said, session.into_dialogue())
}

#[test]
fn no_tls_is_not_the_last_word_of_a_server_that_goes_before_quit() {
    for (turns, failure, told_of) in [
        (&[GREETING, "250 mx\r\n"][..], "ehlo", "behind starttls: not_offered and before QUIT"),
        (&[GREETING, "250-mx\r\n250 XXXXXXXA\r\n"], "ehlo", "behind starttls: keyword_mangled"),
        (&[GREETING, "502 no\r\n", "250 mx\r\n"], "ehlo", "behind ehlo: helo_only"),
        (&[GREETING, EHLO, "502 no\r\n"], "starttls", "behind starttls: refused"),
        (&[GREETING, EHLO, "454 not now\r\n"], "starttls", "behind starttls: refused_temporarily"),
        // What it began to say does not make it stay.
        (&[GREETING, "250 mx\r\n42"], "ehlo", "behind starttls: not_offered"),
    ] {
        for (reset, told_how) in [(false, "behind"), (true, "connection reset, behind")] {
            let (said, dialogue) = leaves(turns, |session| {
                assert!(session.denies_tls());
                session.receive_eof(reset);
            });
            assert_eq!(told(&dialogue), format!("{failure} closed"), "{turns:?}");
            let detail = dialogue.failure.as_ref().unwrap().detail.as_deref().unwrap();
            assert!(detail.contains(told_of) && detail.starts_with(told_how), "{detail}");
            assert!(!said.contains("QUIT") && dialogue.unanswered.is_none(), "{said}");
        }
        let (_, dialogue) = leaves(turns, SmtpClient::too_many_bytes);
        assert_eq!(told(&dialogue), format!("{failure} too_many_bytes"), "{turns:?}");
    }
    // Whatever else it said stays said, and so does what it says to QUIT.
    for (turns, failure) in [
        (&[GREETING, "530 TLS\r\n"][..], "ehlo tls_required 530"),
        (&["554 no\r\n"], "greeting rejected 554"),
    ] {
        let (_, dialogue) = leaves(turns, |session| {
            assert!(!session.denies_tls());
            session.receive_eof(false);
        });
        assert_eq!(told(&dialogue), failure, "{turns:?}");
    }
    // A reply too many before the end makes it another fault.
    let (_, dialogue) = leaves(&[GREETING, "250 mx\r\n250 more\r\n"], |session| session.receive_eof(false));
    assert_eq!(told(&dialogue), "ehlo out_of_step 250");
}

#[test]
fn a_refusal_is_told_with_all_its_lines() {
    let (_, dialogue) =
        play(&["554-5.7.1 No\r\n554-\r\n554-5.7.1 business \r\n554 with 192.0.2.1\r\n", "221 bye\r\n"]);
    assert_eq!(dialogue.failure.unwrap().detail.as_deref(), Some("5.7.1 No 5.7.1 business with 192.0.2.1"));
}

#[test]
fn an_early_421_does_not_answer_quit() {
    let (said, dialogue) = play(&[GREETING, "250 mx\r\n421 busy\r\n"]);
    assert_eq!((said.as_str(), dialogue.quit, dialogue.unanswered), ("EHLO", None, None));
    assert_eq!(dialogue.unsolicited.unwrap().iter().map(|reply| reply.code).collect::<Vec<_>>(), [421]);
    let (said, dialogue) = play(&[GREETING, "250 mx\r\n"]);
    assert_eq!(
        (said.as_str(), dialogue.quit, dialogue.unanswered),
        ("EHLO QUIT", None, Some(SmtpCommand::Quit))
    );
}

#[test]
fn a_session_that_reached_tls_keeps_its_answer() {
    for inside in
        [&["250 mx\r\n250 again\r\n", "221 bye\r\n"][..], &["250 mx\r\n", "250 what\r\n221 bye\r\n"]]
    {
        let (said, dialogue) = play(&[&[GREETING, EHLO, "220 go\r\n"], inside].concat());
        assert_eq!((said.as_str(), told(&dialogue).as_str()), ("EHLO STARTTLS TLS EHLO QUIT", "ok"));
        assert_eq!(unsolicited(&dialogue), [250]);
    }
}

#[test]
fn the_replies_kept_are_bounded() {
    let (_, dialogue) = play(&[GREETING, "250 mx\r\n", &"250 mx\r\n".repeat(1000)]);
    assert_eq!(dialogue.unsolicited.unwrap().len(), count::UNSOLICITED_REPLIES_MAX);
    assert_eq!(dialogue.failure.unwrap().kind, Kind::OutOfStep);
}

#[test]
fn empty_lines_are_no_replies() {
    let (said, dialogue) = play(&["\r\n220 mx\r\n\r\n", "250 mx\r\n\n", "\r\n221 bye\r\n"]);
    assert_eq!((said.as_str(), told(&dialogue).as_str()), ("EHLO QUIT", "starttls not_offered"));
    assert!(dialogue.replies().all(|reply| reply.has(Deviation::EmptyLine)), "{dialogue:?}");
}

#[test]
fn what_broke_off_is_kept_whole() {
    let half = "250-mx\r\n250-SIZE\r\n250-STA";
    for (turns, kept, unanswered) in [
        (&[GREETING, half][..], Some(r"250-mx\x0d\x0a250-SIZE\x0d\x0a250-STA"), Some(SmtpCommand::Ehlo)),
        (&[GREETING, "250-mx\r\n251 x\r\n"], Some(r"250-mx\x0d\x0a251 x\x0d\x0a"), Some(SmtpCommand::Ehlo)),
        (&[GREETING, EHLO, "22"], Some("22"), Some(SmtpCommand::Starttls)),
        (&[GREETING, "502 no\r\n", "25"], Some("25"), Some(SmtpCommand::Helo)),
        (&[GREETING, "250 mx\r\n", "221-b"], Some("221-b"), Some(SmtpCommand::Quit)),
        (
            &[GREETING, EHLO, "220 go\r\n", half],
            Some(r"250-mx\x0d\x0a250-SIZE\x0d\x0a250-STA"),
            Some(SmtpCommand::EhloTls),
        ),
        (&["SSH-2.0\r\n"], Some(r"SSH-2.0\x0d\x0a"), None),
        (&["22"], Some("22"), None),
        (&[GREETING, "250 mx\r\n", "221 bye\r\n"], None, None),
        (&[GREETING, "250 mx\r\n"], None, Some(SmtpCommand::Quit)),
    ] {
        let (_, dialogue) = play(turns);
        assert_eq!((dialogue.broken_off.as_deref(), dialogue.unanswered), (kept, unanswered), "{turns:?}");
    }
}

/// Where the odd line itself ends the dialogue, it is told as well.
#[test]
fn what_is_odd_about_a_reply_that_is_none_is_told() {
    use Deviation::*;
    for (turns, odd) in [
        // A telnet negotiation (RFC 854) and a byte order mark before the banner.
        (&[b"\xff\xfb\x01220 mx\r\n" as &[u8]] as &[&[u8]], &[ControlCharacter, EightBit] as &[_]),
        (&[b"\xef\xbb\xbf220 mx\r\n"], &[EightBit]),
        // Line ends the wrong way round: the CR belongs to the line after.
        (&[b"220 mx\n\r", b"250-mx\n\r250 OK\n\r"], &[BareLf, BareCr, UnsolicitedReply]),
        (&[b"220-a\x1b\r\n\r\n** b\0\n"], &[BareLf, NulByte, ControlCharacter, EmptyLine]),
        (&[b"220-a\r\n250 \xe9\r\n"], &[EightBit]),
        (&[b"220 \xe9"], &[EightBit]),
        (&[b"220 a\r"], &[]),
        (&[b"SSH-2.0\r\n"], &[]),
        (&[&[b'x'; 600]], &[OverlongLine]),
        (&[&[b'x'; 4000]], &[OverlongLine]),
    ] {
        let mut session = session();
        let mut turns = turns.iter();
        loop {
            match session.next() {
                SmtpAction::Read => match turns.next() {
                    Some(turn) => session.receive(turn),
                    None => session.receive_eof(false),
                },
                SmtpAction::Write(_) => {}
                SmtpAction::Upgrade | SmtpAction::Done => break,
            }
        }
        let dialogue = session.into_dialogue();
        assert!(dialogue.broken_off.is_some());
        assert_eq!(dialogue.deviations(), odd, "{:?}", dialogue.broken_off);
    }
}

#[test]
fn what_breaks_down_here_is_no_end_by_the_peer() {
    let mut session = session();
    session.receive(GREETING.as_bytes());
    while let SmtpAction::Write(_) = session.next() {}
    session.broke_down("No buffer space available");
    assert_eq!(told(&session.into_dialogue()), "ehlo local_error");
}
