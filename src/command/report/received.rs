//! The report of a run of `mxray receive`.

use super::making::{MadePage, TableBeside};
use crate::command::CommandError;
use crate::command::received_figures::received_figures;
use crate::model::text::{counted, printable};
use crate::report::received::{
    AboutReceiveRun, CLIENT_CERTIFICATES_HEADER, SENDERS_HEADER, client_certificate_record,
    received_document, sender_record,
};
use crate::run_dir::ReceiveInfo;
use crate::run_dir::read::StoredReceiveRun;
use jiff::Timestamp;
use std::path::PathBuf;

/// Tables beside a page.
pub(super) const TABLES: [&str; 2] = ["senders", "certificates"];

/// Makes the page, with tables beside it or without.
pub(super) fn make(
    stored: &StoredReceiveRun,
    tables: Option<[PathBuf; 2]>,
) -> Result<MadePage, CommandError> {
    let figures = received_figures(stored)?;
    let (mut written, mut names) = (Vec::new(), None);
    if let Some([senders_path, certificates_path]) = tables {
        let mut senders = TableBeside::create(senders_path, &SENDERS_HEADER)?;
        figures.senders.iter().try_for_each(|sender| senders.write(&sender_record(sender)))?;
        let mut certificates = TableBeside::create(certificates_path, &CLIENT_CERTIFICATES_HEADER)?;
        let all = figures.certificates.by_end();
        all.into_iter().try_for_each(|one| certificates.write(&client_certificate_record(one)))?;
        names = Some([senders.name()?, certificates.name()?]);
        written = vec![senders, certificates];
    }
    let about = about(stored, names)?;
    Ok(MadePage { document: received_document(&figures, &about), tables: written })
}

fn shown(text: &str) -> String {
    printable(text).into_owned()
}

fn about(stored: &StoredReceiveRun, beside: Option<[String; 2]>) -> Result<AboutReceiveRun, CommandError> {
    let info = stored.info();
    let fault = match &info.behave {
        Some(behave) => format!("On purpose, to every client: {}", shown(behave)),
        None => "Nothing was done wrong on purpose".to_string(),
    };
    Ok(AboutReceiveRun {
        subtitle: vec![
            format!("Listened on {} as {}", shown(&info.listen), shown(&info.name)),
            when(info),
            fault,
        ],
        notices: notices(info, stored.is_cut()?),
        has_fault: info.behave.is_some(),
        settings: settings(info),
        citation: citation(info),
        beside,
    })
}

fn when(info: &ReceiveInfo) -> String {
    let started = info.started;
    match info.ended {
        Some(ended) => format!("From {started:.0} to {ended:.0} (UTC)"),
        None => format!("From {started:.0} (UTC); when it ended is not known"),
    }
}

fn notices(info: &ReceiveInfo, is_cut: bool) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(error) = &info.error {
        notices.push(format!("The run broke off: {}. The figures are of what is written.", shown(error)));
    } else if info.ended.is_none() {
        notices.push(
            "The run has not come to its end: it goes on, or was killed. The figures are of what is written."
                .to_string(),
        );
    }
    if is_cut {
        notices.push("The last line of sessions.jsonl is cut short, and is left out.".to_string());
    }
    if let Some(behave) = &info.behave {
        notices.push(format!(
            "On purpose, to every client: {}. What was refused for that is the listener's doing, and no fault of the \
             client.",
            shown(behave)
        ));
    }
    if let Some(away) = info.turned_away.filter(|away| *away > 0) {
        notices.push(format!(
            "{} turned away with 421, since there were too many at once; what they would have done is not known.",
            counted(away, "connection")
        ));
    }
    notices
}

fn settings(info: &ReceiveInfo) -> Vec<(&'static str, String)> {
    let not_known = || "not recorded".to_string();
    let away =
        info.turned_away.map_or_else(|| "not known, the run has not ended".to_string(), |n| n.to_string());
    let mut settings = vec![
        ("Listened on", shown(&info.listen)),
        ("Name in the greeting", shown(&info.name)),
        ("When", when(info)),
        ("On purpose", info.behave.as_deref().map_or_else(|| "nothing".to_string(), shown)),
        ("Watched for a sender to come again", info.watch_s.map_or_else(not_known, |s| format!("{s} s"))),
        ("Connections turned away", away),
        ("Judged as of", info.judged_by.at.map_or_else(|| "each session's beginning".to_string(), moment)),
        ("Root certificates", roots(info)),
    ];
    if let Some(option) = info.judged_by.options.get("connectors") {
        let told = format!("{} (SHA-256 {})", shown(&option.words.join(", ")), option.sha256);
        settings.push(("Inbound connectors", told));
    }
    if !info.judged_by.connectors_left_out.is_empty() {
        let left_out = shown(&info.judged_by.connectors_left_out.join(", "));
        settings.push(("Connectors left out, as they are disabled", left_out));
    }
    if let Some(option) = info.judged_by.options.get("tls-certificate-name") {
        settings.push(("Certificate looked for", shown(&option.words.join(", "))));
    }
    settings.push(("Machine", info.host.as_deref().map_or_else(not_known, shown)));
    settings.push(("mxray", version(info)));
    settings.push(("Command", shown(&info.command.join(" "))));
    settings
}

fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

fn roots(info: &ReceiveInfo) -> String {
    match info.roots.as_slice() {
        [] => "none: chains were not judged".to_string(),
        roots => shown(&roots.join(", ")),
    }
}

fn version(info: &ReceiveInfo) -> String {
    let commit = info.commit.as_ref().map(|commit| format!(" (commit {})", shown(commit)));
    format!("{}{}", shown(&info.mxray), commit.unwrap_or_default())
}

fn citation(info: &ReceiveInfo) -> String {
    let behave = info.behave.as_ref().map(|behave| format!(", on purpose {}", shown(behave)));
    format!(
        "mxray {}, receive on {} as {}{}. {}.",
        version(info),
        shown(&info.listen),
        shown(&info.name),
        behave.unwrap_or_default(),
        when(info)
    )
}
