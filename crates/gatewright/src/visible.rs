//! Lists of objects that belong to somebody, and the proof that each of them was asked about.

use crate::json::{ToJson, Writer};
use crate::{Caller, Identity};

/// Whether a caller may see an object. An application says it once for each kind of object, and both ways to it ask: the
/// resolver of one (`Owned::visible`), and [`Caller::filter`] of many.
///
/// ```
/// use gatewright::{Identity, VisibleTo};
///
/// struct Account {
///     owner: String,
/// }
///
/// impl VisibleTo for Account {
///     fn visible_to(&self, caller: &Identity) -> bool {
///         caller.subject() == Some(self.owner.as_str())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says which callers may see a `{Self}`",
    label = "cannot be filtered for a caller",
    note = "implement `gatewright::VisibleTo` for `{Self}`"
)]
pub trait VisibleTo {
    /// Whether this caller may see it.
    fn visible_to(&self, caller: &Identity) -> bool;
}

/// A value made of objects that the caller may see. An answer that lists owned objects is declared as this, and only
/// [`Caller::filter`] and [`Caller::sees`] make one, so a handler that answers cannot have forgotten to filter.
///
/// ```text
/// let accounts = who.filter(bank.accounts()).each(shown);
/// Ok(Response::Ok(accounts.map(|accounts| AccountList { accounts })))
/// ```
///
/// It is the value itself in memory and in JSON.
#[derive(Debug)]
#[must_use]
pub struct Visible<T>(T);

impl<T> Visible<T> {
    /// The value as something else, such as the body of an answer around it. What the function adds of its own is not asked
    /// about.
    pub fn map<U>(self, made: impl FnOnce(T) -> U) -> Visible<U> {
        Visible(made(self.0))
    }

    /// Two as one, for an answer that lists objects of two kinds.
    pub fn and<U>(self, other: Visible<U>) -> Visible<(T, U)> {
        Visible((self.0, other.0))
    }

    /// The value. What is sent of it needs no proof any more, or has to be proved again.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

impl<T> Visible<Vec<T>> {
    /// No object: what a caller sees who is not known.
    pub fn nothing() -> Visible<Vec<T>> {
        Visible(Vec::new())
    }

    /// Each object as something else, such as what is shown of it.
    pub fn each<U>(self, shown: impl FnMut(T) -> U) -> Visible<Vec<U>> {
        Visible(self.0.into_iter().map(shown).collect())
    }
}

impl<T: ToJson> ToJson for Visible<T> {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
}

impl<O> Caller<O> {
    /// Those of the objects that this caller may see, in their order. A store that can be asked for the caller's own alone
    /// should be, so that pages are full and nothing is read in vain; what it gave is asked about all the same.
    pub fn filter<T: VisibleTo>(&self, objects: impl IntoIterator<Item = T>) -> Visible<Vec<T>> {
        Visible(objects.into_iter().filter(|object| object.visible_to(self)).collect())
    }

    /// One object, if this caller may see it: for answers that are sent item by item.
    pub fn sees<T: VisibleTo>(&self, object: T) -> Option<Visible<T>> {
        object.visible_to(self).then_some(Visible(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Note(&'static str, i32);

    impl VisibleTo for Note {
        fn visible_to(&self, caller: &Identity) -> bool {
            caller.subject() == Some(self.0)
        }
    }

    fn caller(subject: &str) -> Caller<()> {
        Caller::for_test(Identity::for_test(subject, Map::new()))
    }

    #[test]
    fn each_caller_sees_what_is_his_in_its_order() {
        let all = || [Note("alice", 1), Note("bob", 2), Note("alice", 3)];
        assert_eq!(caller("alice").filter(all()).each(|note| note.1).into_inner(), [1, 3]);
        assert_eq!(caller("bob").filter(all()).get(), &[Note("bob", 2)]);
        assert!(caller("carol").filter(all()).into_inner().is_empty());
        assert!(caller("bob").sees(Note("alice", 1)).is_none());
        assert_eq!(caller("bob").sees(Note("bob", 2)).map(Visible::into_inner), Some(Note("bob", 2)));
    }

    #[test]
    fn a_proof_stays_around_what_is_made_of_it_and_is_not_seen_in_json() {
        let both = caller("bob").filter([Note("bob", 2)]).each(|note| note.1).and(Visible::<Vec<i32>>::nothing());
        let body = both.map(|(notes, others)| vec![notes, others]);
        assert_eq!(crate::json::to_vec(&body).unwrap(), b"[[2],[]]");
    }
}
