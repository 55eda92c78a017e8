//! What a value was at each time.

use std::time::Duration;

/// The values that something had, each from its time on.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    first: T,
    later: Vec<(Duration, T)>,
}

impl<T> History<T> {
    /// A value from the start on.
    pub(crate) fn new(first: T) -> Self {
        let later = Vec::new();
        Self { first, later }
    }

    /// Sets the value at this time, which must not be earlier than the one before.
    pub(crate) fn set(&mut self, at: Duration, value: T) {
        self.later.push((at, value));
    }

    /// The present value.
    pub(crate) fn last(&self) -> &T {
        self.later.last().map_or(&self.first, |(_, value)| value)
    }

    /// The values in force at any time from `from` to `to`.
    pub(crate) fn during(&self, from: Duration, to: Duration) -> impl Iterator<Item = &T> {
        let starts = [Duration::ZERO].into_iter();
        let starts = starts.chain(self.later.iter().map(|(at, _)| *at));
        let values = [&self.first].into_iter();
        let values = values.chain(self.later.iter().map(|(_, value)| value));
        let ends = self.later.iter().map(|(at, _)| *at);
        let ends = ends.chain([Duration::MAX]);
        let periods = starts.zip(ends).zip(values);
        periods
            .filter(move |((start, end), _)| *start <= to && from <= *end)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_count_while_they_are_in_force() {
        let at = Duration::from_secs;
        let mut history = History::new('a');
        history.set(at(10), 'b');
        history.set(at(20), 'c');
        let during = |from, to| history.during(at(from), at(to)).collect::<String>();
        assert_eq!(during(0, 5), "a");
        assert_eq!(during(11, 15), "b");
        assert_eq!(during(5, 25), "abc");
        assert_eq!(during(21, 30), "c");
        assert_eq!(*history.last(), 'c');
    }
}
