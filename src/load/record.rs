//! What a load came to, as `--save` writes it and `--baseline` reads it back.

use super::round::Round;
use super::settings::Settings;
use super::spread::Spread;
use serde::{Deserialize, Serialize};

/// Version of the file: grows when a key changes its meaning or goes away.
pub const FORMAT_VERSION: u32 = 2;

/// Most rounds of a load.
pub const ROUNDS_MAX: u32 = 100;

/// Why a saved load cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is none.
    #[error("not a measurement saved by mxray bench: {0}")]
    NotOne(String),
    /// Another mxray wrote it, which counted otherwise.
    #[error("saved in format {found}, this mxray reads {FORMAT_VERSION}; save a new one")]
    Version {
        /// The format of the file.
        found: u32,
    },
    /// It has none, or more than there are.
    #[error("not a measurement saved by mxray bench: it has {0} rounds")]
    Rounds(usize),
    /// A figure in it is none that a load can come to.
    #[error("not a measurement saved by mxray bench: round {round}: {what}")]
    Impossible {
        /// Which round, from 1.
        round: usize,
        /// What is wrong with it.
        what: String,
    },
    /// It compares with nothing.
    #[error("no session of it came to its end; save another")]
    Nothing,
}

/// The one key that every version has.
#[derive(Deserialize)]
struct FormatVersion {
    version: u32,
}

/// What a load came to, round by round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadRecord {
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// Version of mxray.
    pub mxray: String,
    /// What it was.
    pub settings: Settings,
    /// How many rounds were asked for.
    pub rounds_asked: u32,
    /// At least one, at most [`ROUNDS_MAX`].
    pub rounds: Vec<Round>,
}

/// In words that are not Rust's.
impl From<serde_json::Error> for SavedError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            return Self::NotOne("it ends too early".to_string());
        }
        let words = error.to_string().replace("expected f64", "expected a number");
        Self::NotOne(
            words.replace("expected u64", "expected a whole number").replace("missing field", "missing key"),
        )
    }
}

impl LoadRecord {
    /// The record of the rounds that were made of those asked for.
    pub fn new(settings: Settings, rounds_asked: u32, rounds: Vec<Round>) -> Self {
        let mxray = env!("CARGO_PKG_VERSION").to_string();
        Self { version: FORMAT_VERSION, mxray, settings, rounds_asked, rounds }
    }

    /// Whether it was stopped, or broke off, before its end.
    pub fn is_interrupted(&self) -> bool {
        self.rounds.len() < self.rounds_asked as usize || self.rounds.iter().any(|round| round.interrupted)
    }

    /// A figure over the rounds that have it; `None` if none has.
    pub fn spread(&self, figure: impl Fn(&Round) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(figure).collect())
    }

    /// The file: JSON with a line for each key.
    ///
    /// # Errors
    /// None that can happen: everything in it has a form in JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a file back.
    ///
    /// # Errors
    /// [`SavedError`] for one of another version, before anything else in it
    /// is looked at, and for what is no such file.
    pub fn from_json(text: &[u8]) -> Result<Self, SavedError> {
        let FormatVersion { version } = serde_json::from_slice(text)?;
        if version != FORMAT_VERSION {
            return Err(SavedError::Version { found: version });
        }
        let record: Self = serde_json::from_slice(text)?;
        match record.rounds.len() {
            rounds if rounds == 0 || rounds > ROUNDS_MAX as usize => return Err(SavedError::Rounds(rounds)),
            _ => {}
        }
        for (at, round) in record.rounds.iter().enumerate() {
            round.check().map_err(|what| SavedError::Impossible { round: at + 1, what })?;
        }
        if record.rounds.iter().all(|round| round.sessions.ok == 0) {
            return Err(SavedError::Nothing);
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let record = fixtures::record(&[1000, 2000]);
        assert_eq!(LoadRecord::from_json(record.to_json().unwrap().as_bytes()).unwrap(), record);
    }

    #[test]
    fn figures_that_no_load_comes_to_are_refused() {
        let good = fixtures::record(&[1000, 2000]).to_json().unwrap();
        let key = |key: &str| {
            let from = good.find(&format!("\"{key}\": ")).unwrap();
            good[from..].split([',', '\n']).next().unwrap().to_string()
        };
        for (from, to, expected) in [
            (key("per_second"), "\"per_second\": -1.0", "round 1: per_second is -1, "),
            (key("per_second"), "\"per_second\": 0.0", "round 1: 1000 sessions came to their end, and "),
            (key("per_second"), "\"per_second\": null", "invalid type: null, expected a number"),
            (key("seconds"), "\"seconds\": -0.5", "round 1: seconds is -0.5, "),
            (key("p90_us"), "\"p90_us\": 1", "round 1: times of "),
            (key("p50_us"), "\"p50_us\": -7", "invalid value: integer `-7`, expected a whole number"),
            (key("mean_us"), "\"mean_us\": -7.0", "round 1: times of "),
            (key("max_us"), "\"max_us\": 18446744073709551615", "longer than a session lasts"),
            ("\"tls\": {".to_string(), "\"tsl\": {", "round 1: times has no phase tsl"),
        ] {
            let text = good.replacen(&from, to, 1);
            assert_ne!(text, good, "{from}");
            let told = LoadRecord::from_json(text.as_bytes()).unwrap_err().to_string();
            assert!(told.starts_with("not a measurement saved by mxray bench: "), "{told}");
            assert!(told.contains(expected), "{told}, not {expected}");
        }
        let mut nothing = fixtures::record(&[1000]);
        (nothing.rounds[0].sessions.ok, nothing.rounds[0].per_second) = (0, 0.0);
        let told = LoadRecord::from_json(nothing.to_json().unwrap().as_bytes()).unwrap_err().to_string();
        assert_eq!(told, "no session of it came to its end; save another");
    }

    #[test]
    fn another_version_is_told_before_its_keys_are_looked_at() {
        let told = |text: &str| LoadRecord::from_json(text.as_bytes()).unwrap_err().to_string();
        let version = told(r#"{"version": 1, "else": []}"#);
        assert_eq!(version, "saved in format 1, this mxray reads 2; save a new one");
        let without = LoadRecord::new(fixtures::settings(), 1, Vec::new()).to_json().unwrap();
        for text in ["", "[]", "{}", r#"{"version": 2}"#, &without] {
            assert!(told(text).starts_with("not a measurement saved by mxray bench: "), "{text}");
        }
    }
}
