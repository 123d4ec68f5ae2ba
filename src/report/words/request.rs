//! What mends a finding, as one would write it to whoever can mend it: in the imperative.
//! `The partner installs a certificate.` becomes `Install a certificate.`

/// Verbs of the texts, and how they are when somebody is asked.
const VERBS: [(&str, &str); 25] = [
    ("adds", "add"),
    ("allows", "allow"),
    ("does", "do"),
    ("gets", "get"),
    ("has", "have"),
    ("installs", "install"),
    ("lets", "let"),
    ("looks", "look"),
    ("makes", "make"),
    ("mends", "mend"),
    ("offers", "offer"),
    ("opens", "open"),
    ("prefers", "prefer"),
    ("publishes", "publish"),
    ("renews", "renew"),
    ("restarts", "restart"),
    ("serves", "serve"),
    ("sets", "set"),
    ("signs", "sign"),
    ("starts", "start"),
    ("takes", "take"),
    ("turns", "turn"),
    ("updates", "update"),
    ("uses", "use"),
    ("widens", "widen"),
];

const PARTNER: &str = "The partner ";
const OF_PARTNER: &str = "The partner's ";

/// What to ask of the partner. Where only the reader can do something, it says so.
pub fn request(mends: &str) -> String {
    // What is still to be found out is for the reader.
    let told = mends.rsplit_once("If it stays so, ").map_or(mends, |(_, then)| then);
    let told = capitalized(told);
    if let Some(action) = told.strip_prefix(PARTNER) {
        // A choice of the reader's is none of the partner's.
        let action =
            action.split_once(", or you ").map_or(action.to_string(), |(begin, _)| format!("{begin}."));
        return imperative(&action);
    }
    match told.strip_prefix(OF_PARTNER) {
        Some(thing) => format!("Your {thing}"),
        None => format!("Nothing to ask of the partner. {mends}"),
    }
}

/// Every verb of the subject that is left out stands at the begin, behind a comma or behind
/// `and` or `or`.
fn imperative(action: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in action.split(' ') {
        let is_free = words
            .last()
            .is_none_or(|before| before.ends_with(',') || matches!(before.as_str(), "and" | "or"));
        let verb = VERBS.iter().find(|(verb, _)| is_free && *verb == word).map(|(_, asked)| *asked);
        words.push(match (verb, word) {
            (Some(verb), _) => verb.to_string(),
            (None, "its") => "your".to_string(),
            (None, word) => word.to_string(),
        });
    }
    capitalized(&words.join(" "))
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::words::{known, words};

    #[test]
    fn partners_are_spoken_to() {
        for (mends, asked) in [
            (
                "The partner installs a certificate and turns anonymous cipher suites off.",
                "Install a certificate and turn anonymous cipher suites off.",
            ),
            (
                "The partner has the certificate issued anew; every authority signs with SHA-256.",
                "Have the certificate issued anew; every authority signs with SHA-256.",
            ),
            (
                "The partner starts its server, opens port 25, or takes the host out of its MX records.",
                "Start your server, open port 25, or take the host out of your MX records.",
            ),
            (
                "The partner updates the mail server, or what stands before it and rewrites its replies.",
                "Update the mail server, or what stands before it and rewrites your replies.",
            ),
            (
                "The partner does not ask for client certificates on port 25.",
                "Do not ask for client certificates on port 25.",
            ),
            (
                "The partner signs its zone and publishes TLSA records, or you demand less.",
                "Sign your zone and publish TLSA records.",
            ),
            (
                "You scan again later. If it stays so, the partner makes its servers alike.",
                "Make your servers alike.",
            ),
            (
                "You scan again later. If it stays so, the partner's policy host must answer.",
                "Your policy host must answer.",
            ),
            (
                "You look whether your list or address book has the right name.",
                "Nothing to ask of the partner. You look whether your list or address book has the right name.",
            ),
        ] {
            assert_eq!(request(mends), asked);
        }
    }

    /// A verb that is not in the list would stay as it is.
    #[test]
    fn every_text_becomes_a_request() {
        let policies = ["dane: mismatch", "mta_sts: record_syntax"].map(str::to_string);
        for code in known().into_iter().chain(policies) {
            let Some(meaning) = words(&code) else { continue };
            let asked = request(meaning.mends);
            if asked.starts_with("Nothing to ask ") {
                continue;
            }
            let first = asked.split(' ').next().unwrap();
            let is_request = first == "Your" || VERBS.iter().any(|(_, verb)| capitalized(verb) == first);
            assert!(is_request && !asked.to_lowercase().contains("the partner"), "{code}: {asked}");
        }
    }
}
