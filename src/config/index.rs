//! Which rules may be for a path, found without a look at all the others.
//!
//! A rule is filed under its stem: what all its paths begin with. The stems are sorted, and each
//! knows the longest other one that it begins with. So those that a path begins with are one and its
//! ancestors, and that one is found by halving. What is filed under them is looked at in the order of
//! the configuration; whether a rule matches is for its matcher to say.

/// What all paths that a rule is for begin with, letters of ASCII in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stem<'m> {
    /// The text; empty where nothing is known.
    pub(super) text: &'m str,
    /// Whether it is the whole path.
    pub(super) whole: bool,
}

/// Rules by their stems.
#[derive(Debug)]
pub(super) struct Index {
    /// Sorted by their texts, each once.
    branches: Vec<Branch>,
}

/// What is filed under one text.
#[derive(Debug)]
struct Branch {
    /// The text in lower case.
    text: String,
    /// Where the longest other text is that this one begins with.
    parent: Option<usize>,
    /// The positions of the rules for this path alone, ascending.
    whole: Vec<usize>,
    /// The positions of the rules for paths that begin so, ascending.
    open: Vec<usize>,
}

impl Index {
    /// Files each position under its stem.
    pub(super) fn new<'m>(stems: impl Iterator<Item = Stem<'m>>) -> Self {
        let stems: Vec<_> = stems
            .map(|stem| (stem.text.to_ascii_lowercase(), stem.whole))
            .collect();
        let mut texts: Vec<String> = stems.iter().map(|(text, _)| text.clone()).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut index = Self {
            branches: Vec::new(),
        };
        for text in texts {
            let mut parent = index.branches.len().checked_sub(1);
            while let Some(branch) = index.at(parent)
                && !text.starts_with(&branch.text)
            {
                parent = branch.parent;
            }
            index.branches.push(Branch {
                text,
                parent,
                whole: Vec::new(),
                open: Vec::new(),
            });
        }
        for (position, (text, whole)) in stems.iter().enumerate() {
            let before = |branch: &Branch| branch.text < *text;
            let place = index.branches.partition_point(before);
            if let Some(branch) = index.branches.get_mut(place) {
                let positions = if *whole {
                    &mut branch.whole
                } else {
                    &mut branch.open
                };
                positions.push(position);
            }
        }
        index
    }

    /// The positions of all that may be for `path`, ascending.
    pub(super) fn candidates(&self, path: &[u8]) -> Candidates<'_> {
        let folded = || path.iter().map(u8::to_ascii_lowercase);
        let not_after = |branch: &Branch| branch.text.bytes().le(folded());
        let last = self.branches.partition_point(not_after).checked_sub(1);
        let mut branch = self.at(last);
        let shared = branch.map_or(0, |branch| {
            let pairs = branch.text.bytes().zip(folded());
            pairs.take_while(|(one, other)| one == other).count()
        });
        while let Some(longer) = branch
            && longer.text.len() > shared
        {
            branch = self.at(longer.parent);
        }
        let ends_here = branch.filter(|branch| branch.text.len() == path.len());
        Candidates {
            index: self,
            branch,
            whole: ends_here.map_or(&[], |branch| &branch.whole),
            from: 0,
        }
    }

    fn at(&self, position: Option<usize>) -> Option<&Branch> {
        self.branches.get(position?)
    }
}

/// The positions of what may be for a path, ascending.
#[derive(Debug)]
pub(super) struct Candidates<'i> {
    index: &'i Index,
    /// The longest text that the path begins with; its ancestors are the others.
    branch: Option<&'i Branch>,
    /// What is for this path alone.
    whole: &'i [usize],
    /// What comes before has been looked at.
    from: usize,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let first = |positions: &[usize]| {
            let passed = positions.partition_point(|position| *position < self.from);
            positions.get(passed).copied()
        };
        let mut next = first(self.whole);
        let mut branch = self.branch;
        while let Some(Branch { open, parent, .. }) = branch {
            next = [next, first(open)].into_iter().flatten().min();
            branch = self.index.at(*parent);
        }
        self.from = next?.saturating_add(1);
        next
    }
}

#[cfg(test)]
mod tests;
