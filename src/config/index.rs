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
    text: Box<[u8]>,
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
        let folded = |stem: Stem<'_>| (stem.text.to_ascii_lowercase().into_bytes(), stem.whole);
        let mut stems: Vec<_> = stems.map(folded).zip(0_usize..).collect();
        // The sort is stable: of equal texts the positions stay ascending.
        stems.sort_by(|((one, _), _), ((other, _), _)| one.cmp(other));
        let mut index = Self {
            branches: Vec::new(),
        };
        for ((text, whole), position) in stems {
            if index.branches.last().is_none_or(|last| *last.text != *text) {
                let mut parent = index.branches.len().checked_sub(1);
                while let Some(branch) = index.at(parent)
                    && !text.starts_with(&branch.text)
                {
                    parent = branch.parent;
                }
                index.branches.push(Branch {
                    text: text.into_boxed_slice(),
                    parent,
                    whole: Vec::new(),
                    open: Vec::new(),
                });
            }
            if let Some(branch) = index.branches.last_mut() {
                let positions = if whole {
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
        let not_after = |branch: &Branch| branch.text.iter().copied().le(folded());
        let last = self.branches.partition_point(not_after).checked_sub(1);
        let mut branch = self.at(last);
        let shared = branch.map_or(0, |branch| {
            let pairs = branch.text.iter().copied().zip(folded());
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
