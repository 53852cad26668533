//! An old version's operation that the new version's handler answers: what `also =` of `#[handler]` stands on.
//!
//! The request passed the old version's own guards, limits and checks; its context becomes the new one's. So that this is
//! no way around the new guards, the old policy must ask at least as much, which [`forwards`] finds out in the build.

use std::marker::PhantomData;

use gatewright_policy::strict::{Row, weaker};

use crate::Internal;
use crate::cx::{Cx, Unowned};
use crate::operation::Operation;
use crate::owned::Authorized;
use crate::part::take_request;

/// Fails the build where the policy of `Old` asks less than that of `New`. Macros write a constant of it.
///
/// # Panics
/// When evaluated in a constant, and `Old` asks less: with both operations and the respect.
#[doc(hidden)]
#[allow(clippy::panic, reason = "a panic of a constant is a message of the compiler")]
pub const fn forwards<Old: Operation, New: Operation>() {
    let (old, new) = (Row { api: Old::API, policy: Old::META.policy }, Row { api: New::API, policy: New::META.policy });
    if let Some(why) = weaker(old, new) {
        let text = Text::new()
            .add("\n`")
            .add(old.policy.operation)
            .add("` (")
            .add(old.policy.at)
            .add(") may not be answered by the handler of `")
            .add(new.policy.operation)
            .add("` (")
            .add(new.policy.at)
            .add("): ")
            .add(why.text())
            .add("\nmake the older policy as strict in its document, or write a handler of its own");
        panic!("{}", text.get());
    }
}

/// A context of the old operation as one of the new: the same caller, the same object, the request converted.
///
/// # Errors
/// The request was taken out of it before.
#[doc(hidden)]
pub fn forward<Old, New, K, L>(mut cx: Cx<Old, K>) -> Result<Cx<New, L>, Internal>
where
    Old: Operation,
    New: Operation,
    New::Request: From<Old::Request>,
    K: Keeps<L>,
{
    let request = take_request(&mut cx)?;
    let kept = cx.kept.take().ok_or_else(|| Internal::new("a context is forwarded after its object was taken"))?;
    Ok(Cx::assertion(request.into(), kept.keep(), cx.identity, cx.stepped_up, cx.raw))
}

/// What an old operation's context knows of an object is enough for the new one's.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the older operation does not check the `owner` that the newer one checks",
    label = "`{Self}` is no proof of what `{L}` proves",
    note = "give the older operation the same `owner` in its document, or write a handler of its own"
)]
pub trait Keeps<L> {
    /// The same, as the new one has it.
    fn keep(self) -> L;
}

impl<T> Keeps<Authorized<T>> for Authorized<T> {
    fn keep(self) -> Authorized<T> {
        self
    }
}

impl<A> Keeps<Unowned<A>> for Unowned<A> {
    fn keep(self) -> Unowned<A> {
        self
    }
}

/// Asked for an object that the new one does not need.
impl<T, A> Keeps<Unowned<A>> for Authorized<T> {
    fn keep(self) -> Unowned<A> {
        Unowned(PhantomData)
    }
}

/// Room for a message; what is longer is cut.
const ROOM: usize = 600;

/// Text that constant evaluation can put together.
struct Text {
    bytes: [u8; ROOM],
    length: usize,
}

impl Text {
    const fn new() -> Text {
        Text { bytes: [0; ROOM], length: 0 }
    }

    #[allow(clippy::indexing_slicing, reason = "within the room, and constant evaluation knows no other way")]
    const fn add(mut self, text: &str) -> Text {
        let mut rest = text.as_bytes();
        if self.length + rest.len() > ROOM {
            return self;
        }
        while let [byte, more @ ..] = rest {
            self.bytes[self.length] = *byte;
            self.length += 1;
            rest = more;
        }
        self
    }

    const fn get(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
