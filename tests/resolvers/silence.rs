//! Resolvers that fall silent all together: waited out, and told.

use super::*;
use mxray::internals::lookup::ResolverState;
use script::NS;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A resolver that answers while `here` says so.
async fn start(here: &Arc<AtomicBool>) -> Scripted {
    let here = here.clone();
    Scripted::start(move |asked| if here.load(Ordering::SeqCst) { good(asked) } else { vec![] }).await
}

fn impatient(nameserver: SocketAddr) -> DnsLookup {
    let timeout = Duration::from_millis(200);
    DnsLookup::new(LookupConfig { timeout, attempts: 1, ..config(&[nameserver]) }).unwrap()
}

#[tokio::test]
async fn no_question_is_lost_while_the_resolver_is_away() {
    let here = Arc::new(AtomicBool::new(true));
    let server = start(&here).await;
    let lookup = impatient(server.address);
    let mut state = lookup.wait_out_silence(HOUR);
    assert_eq!(kind(&find(&lookup, "first.example").await), Some(Kind::NullMx));
    here.store(false, Ordering::SeqCst);
    let domains: Vec<String> = (0..100).map(|n| format!("d{n}.example")).collect();
    let (found, ()) = tokio::join!(join_all(domains.iter().map(|domain| find(&lookup, domain))), async {
        state.wait_for(|state| *state == ResolverState::Silent).await.unwrap();
        here.store(true, Ordering::SeqCst);
        state.wait_for(|state| *state == ResolverState::Answering).await.unwrap();
    });
    let lost: Vec<_> = found.iter().filter(|facts| kind(facts) != Some(Kind::NullMx)).collect();
    assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), lost[0]);
}

/// Where others are answered, a question without a reply is one of its own.
#[tokio::test]
async fn a_name_without_a_reply_is_no_silence_of_the_resolver() {
    let script = |asked: &Asked| if asked.name == "d.example" { vec![] } else { good(asked) };
    let server = Scripted::start(script).await;
    let lookup = impatient(server.address);
    let mut state = lookup.wait_out_silence(HOUR);
    assert_eq!(kind(&find(&lookup, "d.example").await), Some(Kind::Timeout));
    assert_eq!((*state.borrow_and_update(), server.count("d.example")), (ResolverState::Answering, 1));
}

#[tokio::test]
async fn where_none_ever_replied_nothing_is_asked() {
    let never = Arc::default();
    let server = start(&never).await;
    for address in [server.address, closed_port()] {
        let lookup = impatient(address);
        let state = lookup.wait_out_silence(HOUR);
        for domain in ["a.example", "b.example"] {
            let failed = kind(&find(&lookup, domain).await);
            assert!(matches!(failed, Some(Kind::Timeout | Kind::Closed)), "{failed:?}");
        }
        assert_eq!(*state.borrow(), ResolverState::NeverAnswered);
    }
    assert!(server.log().iter().all(|asked| asked.name.is_empty() && asked.record_type == NS));
}

/// After so long, or when nobody wants to wait any more.
#[tokio::test]
async fn silence_is_waited_out_so_long_and_no_longer() {
    for (patience, expected) in [(Duration::ZERO, ResolverState::GivenUp), (HOUR, ResolverState::Silent)] {
        let here = Arc::new(AtomicBool::new(true));
        let server = start(&here).await;
        let lookup = impatient(server.address);
        let mut state = lookup.wait_out_silence(patience);
        find(&lookup, "first.example").await;
        here.store(false, Ordering::SeqCst);
        let (facts, ()) = tokio::join!(find(&lookup, "d.example"), async {
            state.wait_for(|state| *state == expected).await.unwrap();
            lookup.give_up();
        });
        assert_eq!(kind(&facts), Some(Kind::Timeout));
        if expected == ResolverState::GivenUp {
            let asked = server.log().len();
            assert_eq!(kind(&find(&lookup, "e.example").await), Some(Kind::Timeout));
            assert_eq!(server.log().len(), asked, "nobody is asked any more");
        }
    }
}
