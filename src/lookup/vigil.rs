//! Whether any resolver answers at all.
//!
//! A question without a reply says something of what was asked for only if
//! others are answered at that time. So a survey has this watched: none of its
//! questions is sent before some resolver has answered, and where all fall
//! silent later, questions wait until one answers again.

use super::resolvers::Resolvers;
use super::trouble::Trouble;
use crate::dns::{Name, Question, RecordType};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at resolvers that are silent.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// A resolver that takes longer for what every resolver knows was away.
const AWAY_AFTER: Duration = Duration::from_secs(1);

/// What is known of the resolvers, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolverState {
    /// One answers, as far as anybody knows.
    Answering,
    /// None has ever replied.
    NeverAnswered,
    /// One did, and now none replies: questions wait.
    Silent,
    /// None has replied for as long as was agreed: questions fail.
    GivenUp,
}

/// Keeps the watch, if anybody wants it kept.
pub(super) struct Vigil {
    state: watch::Sender<ResolverState>,
    patience: OnceLock<Duration>,
    stop: CancellationToken,
    first: OnceCell<Result<(), Trouble>>,
    /// When the last look ended, and whether they had been away then. Who looks
    /// holds the lock beside it.
    last: Mutex<Option<(Instant, bool)>>,
    looking: tokio::sync::Mutex<()>,
}

impl Default for Vigil {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(ResolverState::Answering),
            patience: OnceLock::new(),
            stop: CancellationToken::new(),
            first: OnceCell::new(),
            last: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        }
    }
}

impl Vigil {
    /// Begins the watch; whoever began it first says for how long silence is
    /// waited out.
    pub(super) fn begin(&self, patience: Duration) -> watch::Receiver<ResolverState> {
        let _ = self.patience.set(patience);
        self.state.subscribe()
    }

    /// From now on nobody waits.
    pub(super) fn give_up(&self) {
        self.stop.cancel();
    }

    /// Lets questions go once a resolver has replied.
    ///
    /// # Errors
    /// Why none has, or that they are given up.
    pub(super) async fn admit(&self, resolvers: &Resolvers) -> Result<(), Trouble> {
        if self.patience.get().is_none() {
            return Ok(());
        }
        let first = self.first.get_or_init(|| async {
            let told = look(resolvers).await;
            if told.is_err() {
                self.state.send_replace(ResolverState::NeverAnswered);
            }
            told
        });
        first.await.clone()?;
        if *self.state.borrow() == ResolverState::GivenUp { Err(Trouble::silence(None)) } else { Ok(()) }
    }

    /// After a question without a reply: whether the resolvers were away, and are
    /// back. Waits until they are, as long as was agreed.
    pub(super) async fn outlasts(&self, resolvers: &Resolvers) -> bool {
        let Some(patience) = self.patience.get() else { return false };
        let asked = Instant::now();
        tokio::select! {
            was_away = self.look_in_turn(resolvers, asked, *patience) => was_away,
            () = self.stop.cancelled() => false,
        }
    }

    async fn look_in_turn(&self, resolvers: &Resolvers, asked: Instant, patience: Duration) -> bool {
        let _turn = self.looking.lock().await;
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody looked meanwhile.
        if let Some((at, was_away)) = last
            && at > asked
        {
            return was_away;
        }
        let was_away = self.look_until_one_replies(resolvers, patience).await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), was_away));
        was_away
    }

    async fn look_until_one_replies(&self, resolvers: &Resolvers, patience: Duration) -> bool {
        let since = Instant::now();
        while look(resolvers).await.is_err() {
            if since.elapsed() >= patience {
                self.state.send_replace(ResolverState::GivenUp);
                return false;
            }
            self.become_unless_so(ResolverState::Silent);
            sleep(LOOK_PAUSE).await;
        }
        self.become_unless_so(ResolverState::Answering);
        since.elapsed() >= AWAY_AFTER
    }

    fn become_unless_so(&self, state: ResolverState) {
        self.state.send_if_modified(|known| {
            let changes = *known != state;
            *known = state;
            changes
        });
    }
}

/// Asks for the nameservers of the root, which every resolver knows. Any reply
/// will do.
async fn look(resolvers: &Resolvers) -> Result<(), Trouble> {
    match resolvers.ask(&Question::new(Name::root(), RecordType::NS)).await {
        Err(trouble) if !trouble.is_reply() => Err(trouble),
        _ => Ok(()),
    }
}
