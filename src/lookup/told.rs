//! Questions as they are told to a person who looks at one target: each with its
//! answer, and who vouches for it.

use super::answer::tlsa_record;
use super::vouched::{NoRecords, Vouched};
use crate::dns::{Question, RData};
use crate::model::asked_question::{AskedQuestion, RECORD_TEXT_BYTES_MAX, RECORDS_TOLD_MAX};
use crate::model::text;
use crate::model::tlsa::AssociationData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What was asked so far, if anybody wants to know.
#[derive(Default)]
pub(super) struct ToldQuestions {
    most: AtomicUsize,
    told: Mutex<(Vec<AskedQuestion>, usize)>,
}

impl ToldQuestions {
    /// From now on keeps so many.
    pub(super) fn keep(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Writes a question down; `validated` where it matters who vouches for it.
    pub(super) fn add(&self, question: &Question, validated: bool, told: Result<&Vouched, &NoRecords>) {
        let most = self.most.load(Ordering::Relaxed);
        if most == 0 {
            return;
        }
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.len() < most {
            known.0.push(asked(question, validated, told));
        } else {
            known.1 += 1;
        }
    }

    /// Those that were kept since the last call, and how many were not. They come by
    /// what they are for, then by name: which was answered first changes from time to
    /// time.
    pub(super) fn take(&self) -> (Vec<AskedQuestion>, usize) {
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut questions, excess) = std::mem::take(&mut *known);
        questions.sort_by(|a, b| order(a).cmp(&order(b)));
        (questions, excess)
    }
}

/// Mail hosts, their addresses, TLSA, then the rest.
fn order(question: &AskedQuestion) -> (u8, &str, &str) {
    let rank = match &*question.record_type {
        "MX" => 0,
        "CNAME" | "A" | "AAAA" => 1,
        "TLSA" => 2,
        _ => 3,
    };
    (rank, &question.name, &question.record_type)
}

fn asked(question: &Question, validated: bool, told: Result<&Vouched, &NoRecords>) -> AskedQuestion {
    let (mut answer, authenticity) = match told {
        Ok(told) => (lines(told), Some(told.authenticity).filter(|_| told.unvouched.is_none())),
        Err(none) => (vec![none.failure.to_string()], none.authenticity),
    };
    let answer_excess = answer.len().saturating_sub(RECORDS_TOLD_MAX);
    answer.truncate(RECORDS_TOLD_MAX);
    AskedQuestion {
        name: question.name.to_ascii().trim_end_matches('.').to_owned(),
        record_type: question.record_type.to_string(),
        authenticity: authenticity.filter(|_| validated),
        answer,
        answer_excess,
    }
}

fn lines(told: &Vouched) -> Vec<String> {
    let aliases = told.aliases.iter().map(|alias| format!("alias of {}", alias.to_ascii()));
    let records = told.records.iter().map(record);
    let none = (told.records.is_empty() && !told.goes_on)
        .then(|| if told.exists { "no such record" } else { "no such name" }.to_owned());
    let all = aliases.chain(records).chain(none);
    all.map(|line| {
        let mut line = text::printable(&line).into_owned();
        text::cut(&mut line, RECORD_TEXT_BYTES_MAX);
        line
    })
    .collect()
}

fn record(data: &RData) -> String {
    match (tlsa_record(data), data) {
        (Some(tlsa), _) => tlsa.to_string(),
        (None, RData::TXT(txt)) => {
            let strings = txt.txt_data.iter().map(|text| format!("\"{}\"", String::from_utf8_lossy(text)));
            strings.collect::<Vec<_>>().join(" ")
        }
        // As in a zone file (RFC 3597 §5).
        (None, RData::Unknown { rdata, .. }) => {
            format!("\\# {} {}", rdata.anything.len(), AssociationData(rdata.anything.clone()))
        }
        (None, other) => other.to_string(),
    }
}
