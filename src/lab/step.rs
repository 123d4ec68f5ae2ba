//! One thing a server does: what it says, how it says it, and what it does
//! then. The whole script language of the scenarios.

use crate::model::name::NAME_BYTES_MAX;
use crate::model::registry::{AlertDescription, ProtocolVersion};
use crate::tls::alert::{Alert, AlertLevel};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use std::fmt;
use std::time::Duration;

/// Most bytes that one step may hold, before repetition.
pub const STEP_BYTES_MAX: usize = 64 * 1024;
/// Longest pause of a step, in milliseconds.
pub const WAIT_MS_MAX: u64 = 600_000;

/// What a server does at one point of the dialogue. In a scenario file either
/// a string, which is [`Step::say`], or a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What is said.
    pub words: Words,
    /// Pause before it, in milliseconds.
    pub wait_ms: u64,
    /// In which pieces it is sent.
    pub pace: Pace,
    /// Pause between two pieces, in milliseconds; 0 is a very short one.
    pub pause_ms: u64,
    /// How often it is said; 0 is once.
    pub repeat: u32,
    /// How many bytes `{fill}` stands for.
    pub fill: usize,
    /// What comes then.
    pub then: Then,
}

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// Not a byte.
    #[default]
    Silence,
    /// Lines, each of which is ended with CRLF.
    Lines(String),
    /// Bytes as they are: each character stands for the byte of its code
    /// (Latin-1), so that `\u0000` and `\u00E9` are one byte each.
    Raw(String),
    /// A fatal TLS alert in a plaintext record.
    Alert(AlertDescription),
}

/// In which pieces something is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// In one write.
    #[default]
    Whole,
    /// A segment a line.
    Line,
    /// A segment a byte.
    Byte,
}

/// What comes after the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The dialogue goes on.
    #[default]
    Continue,
    /// The server closes.
    Close,
    /// The server resets the connection.
    Reset,
    /// The server says nothing more and waits for the client to go.
    Silence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    say: Option<String>,
    raw: Option<String>,
    alert: Option<String>,
    #[serde(default)]
    wait_ms: u64,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    pause_ms: u64,
    #[serde(default)]
    repeat: u32,
    #[serde(default)]
    fill: usize,
    #[serde(default)]
    then: Then,
}

impl TryFrom<StepTable> for Step {
    type Error = String;

    fn try_from(table: StepTable) -> Result<Self, String> {
        let words = match (table.say, table.raw, table.alert) {
            (None, None, None) => Words::Silence,
            (Some(say), None, None) => Words::Lines(say),
            (None, Some(raw), None) => Words::Raw(raw),
            (None, None, Some(alert)) => Words::Alert(alert_named(&alert)?),
            _ => return Err("one of say, raw and alert, not several".into()),
        };
        let StepTable { wait_ms, pace, pause_ms, repeat, fill, then, .. } = table;
        Ok(Step { words, wait_ms, pace, pause_ms, repeat, fill, then })
    }
}

fn alert_named(name: &str) -> Result<AlertDescription, String> {
    let known = (0..=u8::MAX).map(AlertDescription).find(|alert| alert.name() == name);
    known.ok_or_else(|| format!("no alert is named {name}"))
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a reply or a table of say, raw, alert, wait_ms, pace, pause_ms, repeat, fill, then",
                )
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Step, E> {
                Ok(Step::say(text))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                let table = StepTable::deserialize(MapAccessDeserializer::new(map))?;
                Step::try_from(table).map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_any(StepVisitor)
    }
}

impl Step {
    /// Lines said at once, after which the dialogue goes on.
    pub fn say(text: &str) -> Self {
        Self { words: Words::Lines(text.to_string()), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if let Words::Lines(text) | Words::Raw(text) = &self.words
            && let Some(wide) = text.chars().find(|c| u32::from(*c) > 0xff)
        {
            return Err(format!("{wide:?} is no byte"));
        }
        if self.wait_ms.max(self.pause_ms) > WAIT_MS_MAX || self.bytes_max() > STEP_BYTES_MAX {
            return Err("a step waits or says too much".into());
        }
        Ok(())
    }

    /// Most bytes that it says at once, whatever the server is called.
    pub(super) fn bytes_max(&self) -> usize {
        let (Words::Lines(text) | Words::Raw(text)) = &self.words else { return 0 };
        let count = |what: &str| text.matches(what).count();
        // A line break becomes two bytes, and the last line gets one.
        let ends = count("\n") + 2;
        let written =
            count("{fill}").saturating_mul(self.fill).saturating_add(count("{host}") * NAME_BYTES_MAX);
        written.saturating_add(text.len() + ends)
    }

    /// The step as the server named `host` plays it.
    pub(super) fn prepare(&self, host: &str) -> Prepared {
        let expand = |text: &str| {
            let text = text.replace("{host}", host).replace("{fill}", &"x".repeat(self.fill));
            text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect::<Vec<u8>>()
        };
        let bytes = match &self.words {
            Words::Silence => Vec::new(),
            Words::Lines(text) => {
                let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
                expand(&(lines.join("\r\n") + "\r\n"))
            }
            Words::Raw(text) => expand(text),
            Words::Alert(description) => {
                let alert = Alert { level: AlertLevel::FATAL, description: *description };
                alert.to_record(ProtocolVersion::TLS12).to_vec()
            }
        };
        Prepared {
            bytes: bytes.into(),
            wait: Duration::from_millis(self.wait_ms),
            pace: self.pace,
            pause: Duration::from_millis(self.pause_ms),
            times: self.repeat.max(1),
            then: self.then,
        }
    }
}

/// A step ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What is sent.
    pub bytes: Box<[u8]>,
    /// Pause before it.
    pub wait: Duration,
    /// In which pieces.
    pub pace: Pace,
    /// Pause between two of them.
    pub pause: Duration,
    /// How often.
    pub times: u32,
    /// What comes then.
    pub then: Then,
}
