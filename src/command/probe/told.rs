//! What `mxray probe` prints: a transcript of each target, or one document of all; or,
//! where only the exit code is wanted, nothing.

use crate::cli::{FormatArg, ProbeArgs};
use crate::command::{CommandError, tell};
use crate::report::{self, Probed, QuestionsTold, Retrying};
use crate::run_dir::{ProbeDocument, ProbedTarget};

/// Who prints.
pub(super) struct ProbeOutput {
    form: OutputForm,
    ehlo_name: String,
}

enum OutputForm {
    /// A transcript of each; whether one was told.
    Text(bool),
    Json(ProbeDocument),
    Nothing,
}

impl ProbeOutput {
    pub(super) fn new(args: &ProbeArgs, ehlo_name: String) -> Self {
        let form = match (args.format, args.quiet) {
            (None, true) => OutputForm::Nothing,
            (None | Some(FormatArg::Text), _) => OutputForm::Text(false),
            (Some(FormatArg::Json), _) => OutputForm::Json(ProbeDocument::default()),
        };
        Self { form, ehlo_name }
    }

    /// Before the first target.
    pub(super) fn begin(&self) -> Result<(), CommandError> {
        match &self.form {
            OutputForm::Json(document) => tell(document.head(&self.ehlo_name).map_err(anyhow::Error::from)?),
            _ => Ok(()),
        }
    }

    /// One target; `by_mx` if it is a domain.
    pub(super) fn target(
        &mut self,
        found: &ProbedTarget<'_>,
        by_mx: bool,
        retrying: Retrying<'_>,
    ) -> Result<(), CommandError> {
        match &mut self.form {
            OutputForm::Nothing => Ok(()),
            OutputForm::Json(document) => tell(document.target(found).map_err(anyhow::Error::from)?),
            OutputForm::Text(told) => {
                let questions = QuestionsTold { questions: found.questions, excess: found.questions_excess };
                let probed = Probed {
                    domain: found.domain,
                    endpoints: found.endpoints,
                    by_mx,
                    ehlo_name: &self.ehlo_name,
                    questions,
                    retrying,
                };
                let before = if std::mem::replace(told, true) { "\n" } else { "" };
                tell(format_args!("{before}{}", report::transcript(&probed)))
            }
        }
    }

    /// After the last.
    pub(super) fn end(&self, stopped: bool, not_asked: &[String]) -> Result<(), CommandError> {
        match &self.form {
            OutputForm::Json(document) => {
                tell(document.tail(stopped, not_asked).map_err(anyhow::Error::from)?)
            }
            _ => Ok(()),
        }
    }
}
