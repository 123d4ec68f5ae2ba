//! What `mxray probe` prints: a transcript of each target, or one document of all; or,
//! where only the exit code is wanted, nothing.

use crate::cli::{FormatArg, ProbeArgs};
use crate::command::{CommandError, colour, outlet, say, tell};
use crate::report::{self, Probed, QuestionsTold, Retrying};
use crate::run_dir::{ProbeDocument, ProbedTarget};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who prints.
pub(super) struct ProbeOutput {
    form: OutputForm,
    ehlo_name: String,
    open: OpenEnd,
}

/// What is lacking if the command must end at once, while something is open. It is held
/// while something is printed.
#[derive(Clone, Default)]
pub(super) struct OpenEnd(Arc<Mutex<Lacking>>);

#[derive(Default)]
struct Lacking {
    /// The end of the document, once it has begun.
    tail: Option<String>,
    /// The target that is being asked.
    target: Option<String>,
}

impl OpenEnd {
    /// Ends the document and says which target was open. Where a reader has stood still
    /// since the last that was printed, it is left as it is.
    pub(super) fn leave(&self) {
        let Ok(mut lacking) = self.0.try_lock() else { return };
        if let Some(name) = &lacking.target {
            say(format_args!("mxray: {name}: stopped before it was asked to its end; nothing is told of it"));
        }
        if let Some(tail) = lacking.tail.take() {
            let _ = tell(tail);
        }
        outlet::settle();
    }

    fn lock(&self) -> MutexGuard<'_, Lacking> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum OutputForm {
    /// A transcript of each; whether one was told.
    Text(bool),
    Json(ProbeDocument),
    Nothing,
}

impl ProbeOutput {
    pub(super) fn new(args: &ProbeArgs, ehlo_name: String, open: OpenEnd) -> Self {
        let form = match (args.format, args.quiet) {
            (None, true) => OutputForm::Nothing,
            (None | Some(FormatArg::Text), _) => OutputForm::Text(false),
            (Some(FormatArg::Json), _) => OutputForm::Json(ProbeDocument::default()),
        };
        Self { form, ehlo_name, open }
    }

    /// `name` is asked next; nothing is told of these targets yet, it included.
    pub(super) fn asks(&self, name: &str, untold: &[String]) -> Result<(), CommandError> {
        let tail = match &self.form {
            OutputForm::Json(document) => Some(document.tail(true, untold).map_err(anyhow::Error::from)?),
            _ => None,
        };
        *self.open.lock() = Lacking { tail, target: Some(name.to_string()) };
        Ok(())
    }

    /// Before the first target.
    pub(super) fn begin(&self) -> Result<(), CommandError> {
        let _held = self.open.lock();
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
        let mut held = self.open.lock();
        held.target = None;
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
                tell(format_args!("{before}{}", colour::for_stdout(&report::transcript(&probed).to_string())))
            }
        }
    }

    /// After the last.
    pub(super) fn end(&self, stopped: bool, not_asked: &[String]) -> Result<(), CommandError> {
        let mut held = self.open.lock();
        *held = Lacking::default();
        match &self.form {
            OutputForm::Json(document) => {
                tell(document.tail(stopped, not_asked).map_err(anyhow::Error::from)?)
            }
            _ => Ok(()),
        }
    }
}
