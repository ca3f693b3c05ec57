//! Notes that checks keep from one examination to the next, so that a result is not computed again.

use super::Stop;
use std::any::Any;
use std::cell::OnceCell;

/// Space for one value of a type that its users choose: the state machine does not know its contents.
/// It decides nothing: a value that was dropped is computed again.
#[derive(Debug, Default)]
pub(crate) struct Notes(OnceCell<Box<dyn Any + Send>>);

impl Notes {
    /// The value, created on first use. Blocked if a value of a different type exists: then two kinds of users
    /// share a verification, which is a defect and must not let a check pass.
    pub(crate) fn of<T: Default + Send + 'static>(&self) -> Result<&T, Stop> {
        self.0.get_or_init(|| Box::<T>::default()).downcast_ref().ok_or(Stop::Blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn one_value_of_one_type_is_kept() {
        let notes = Notes::default();
        notes.of::<Cell<u8>>().unwrap().set(7);
        assert_eq!(notes.of::<Cell<u8>>().unwrap().get(), 7);
        assert_eq!(notes.of::<Cell<u16>>().err(), Some(Stop::Blocked));
    }
}
