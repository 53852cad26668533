//! A value that is held apart from the type around it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::decode::{FromJson, Mismatch};
use super::document::Value;
use super::write::{ToJson, Writer};

/// As a `Box<T>` holds it. Whether it may go to another thread is asked of `T` where one is made and not where it is used:
/// rustc proves `Send` of a type by walking through all that it holds, and gives up at 128 steps, which types of large
/// documents that lead to one another go beyond. Generated types have it where they would, and `Box` elsewhere.
///
/// ```
/// let mut held = gatewright::json::Apart::new(vec![1]);
/// held.push(2);
/// assert_eq!(held.into_inner(), [1, 2]);
/// ```
pub struct Apart<T: 'static>(Box<dyn Held<T> + Send + Sync>);

/// What is known of a value that is held: that there is one.
trait Held<T> {
    fn get(&self) -> &T;
    fn get_mut(&mut self) -> &mut T;
    fn take(self: Box<Self>) -> T;
}

impl<T> Held<T> for T {
    fn get(&self) -> &T {
        self
    }

    fn get_mut(&mut self) -> &mut T {
        self
    }

    fn take(self: Box<Self>) -> T {
        *self
    }
}

impl<T: Send + Sync> Apart<T> {
    /// Holds a value.
    pub fn new(value: T) -> Self {
        Apart(Box::new(value))
    }
}

impl<T> Apart<T> {
    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0.take()
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).get()
    }
}

impl<T> DerefMut for Apart<T> {
    fn deref_mut(&mut self) -> &mut T {
        (*self.0).get_mut()
    }
}

impl<T: Send + Sync> From<T> for Apart<T> {
    fn from(value: T) -> Self {
        Apart::new(value)
    }
}

impl<T: Clone + Send + Sync> Clone for Apart<T> {
    fn clone(&self) -> Self {
        Apart::new((**self).clone())
    }
}

impl<T: Default + Send + Sync> Default for Apart<T> {
    fn default() -> Self {
        Apart::new(T::default())
    }
}

impl<T: PartialEq> PartialEq for Apart<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Apart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: FromJson + Send + Sync> FromJson for Apart<T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        T::decode(value).map(Apart::new)
    }
}

impl<T: ToJson> ToJson for Apart<T> {
    fn write(&self, out: &mut Writer) {
        (**self).write(out);
    }
}
