//! Several forms at once in which something was written: a set, as small as it
//! can be, for one is kept of every probed host.

use std::fmt;
use std::marker::PhantomData;

/// A closed set of forms, at most 16.
pub trait Form: Copy + 'static {
    /// Every form, each at the place of its bit.
    const ALL: &'static [Self];

    /// Place of this one.
    fn place(self) -> u8;
}

/// Some of them; none by default.
pub struct FormSet<F> {
    bits: u16,
    forms: PhantomData<F>,
}

impl<F: Form> FormSet<F> {
    /// These and one more.
    #[must_use]
    pub fn with(self, form: F) -> Self {
        Self { bits: self.bits | 1 << form.place(), ..self }
    }

    /// These, and one more if it is there.
    #[must_use]
    pub fn with_if(self, form: F, is_there: bool) -> Self {
        if is_there { self.with(form) } else { self }
    }

    /// These and those.
    #[must_use]
    pub fn union(self, others: Self) -> Self {
        Self { bits: self.bits | others.bits, ..self }
    }

    /// Whether one is among them.
    pub fn has(self, form: F) -> bool {
        self.bits & 1 << form.place() != 0
    }

    /// Whether there is none.
    pub fn is_plain(self) -> bool {
        self.bits == 0
    }

    /// Each of them, in their order.
    pub fn iter(self) -> impl Iterator<Item = F> {
        F::ALL.iter().copied().filter(move |form| self.has(*form))
    }
}

impl<F> Clone for FormSet<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for FormSet<F> {}

impl<F> Default for FormSet<F> {
    fn default() -> Self {
        Self { bits: 0, forms: PhantomData }
    }
}

impl<F> PartialEq for FormSet<F> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<F> Eq for FormSet<F> {}

impl<F: Form + fmt::Debug> fmt::Debug for FormSet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeywordForm, ReplyForm};

    fn keeps_each<F: Form + PartialEq + fmt::Debug>() {
        assert!(F::ALL.len() <= 16);
        for (place, form) in F::ALL.iter().enumerate() {
            assert_eq!(usize::from(form.place()), place, "{form:?}");
            let set = FormSet::default().with(*form);
            assert!(set.has(*form) && !set.is_plain() && set.iter().eq([*form]), "{form:?}");
        }
        assert!(FormSet::<F>::default().is_plain());
        assert_eq!(
            F::ALL.iter().fold(FormSet::default(), |set, form| set.with(*form)).iter().count(),
            F::ALL.len()
        );
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        keeps_each::<KeywordForm>();
        keeps_each::<ReplyForm>();
        let set = FormSet::default().with_if(KeywordForm::Tab, true).with_if(KeywordForm::NulByte, false);
        assert_eq!(format!("{set:?}"), "{Tab}");
    }
}
