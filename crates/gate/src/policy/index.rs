//! An index of rules by path prefix: a lookup does not examine rules for other paths.
//!
//! The stem of a rule is the text that all its paths begin with. Stems are sorted, and each knows
//! its parent: the longest other stem that is a prefix of it. The stems that are prefixes of a path
//! are therefore one stem and its ancestors, and binary search finds that one. Their rules are
//! returned in the order of the configuration. The matcher of a rule has the final word.

/// The text that all paths of a rule begin with, ignoring the case of ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stem<'m> {
    /// The text; empty if nothing is known about the paths.
    pub(super) text: &'m str,
    /// Whether the text is the whole path.
    pub(super) whole: bool,
}

/// Positions of rules by stem.
#[derive(Debug)]
pub(super) struct Index {
    /// Sorted by text, without repetition.
    branches: Vec<Branch>,
}

/// The rules of one stem.
#[derive(Debug)]
struct Branch {
    /// The text in lower case.
    text: String,
    /// The position of the longest other stem that is a prefix of this one.
    parent: Option<usize>,
    /// The positions of rules for exactly this path, ascending.
    whole: Vec<usize>,
    /// The positions of rules for paths with this prefix, ascending.
    open: Vec<usize>,
}

impl Index {
    /// Indexes rules; the position in `stems` is the position of the rule.
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

    /// The positions of the rules that may match `path`, ascending.
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

/// The positions of the rules that may match a path, ascending.
#[derive(Debug)]
pub(super) struct Candidates<'i> {
    index: &'i Index,
    /// The longest stem that is a prefix of the path; its ancestors are the others.
    branch: Option<&'i Branch>,
    /// The rules for exactly this path.
    whole: &'i [usize],
    /// Earlier positions have been returned.
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
