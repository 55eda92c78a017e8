//! Places in the configuration.

use super::problem::Problem;
use super::problems::Problems;

/// A place in the configuration that is being read, such as `rules[0].match`, and where to report its
/// problems.
///
/// It is a link to the place around it, so that only a problem makes a text of the path.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step<'p>,
    problems: &'p Problems,
}

/// How a place is reached from the one around it.
#[derive(Clone, Copy)]
enum Step<'p> {
    Document,
    Field(&'p str),
    Element(usize),
}

impl<'p> Place<'p> {
    /// The whole document.
    pub(crate) fn document(problems: &'p Problems) -> Self {
        Self {
            outer: None,
            step: Step::Document,
            problems,
        }
    }

    /// The field `name` of the object here.
    pub(crate) fn field<'i>(&'i self, name: &'i str) -> Place<'i> {
        self.inner(Step::Field(name))
    }

    /// The element `index` of the array here.
    pub(crate) fn element(&self, index: usize) -> Place<'_> {
        self.inner(Step::Element(index))
    }

    fn inner<'i>(&'i self, step: Step<'i>) -> Place<'i> {
        Place {
            outer: Some(self),
            step,
            problems: self.problems,
        }
    }

    /// Reports a problem here.
    pub(crate) fn report(&self, problem: &str) {
        self.report_unknown(problem, &[]);
    }

    /// Reports that the field here is unknown, and these fields are known.
    pub(crate) fn report_unknown(&self, problem: &str, known: &[String]) {
        self.problems.add(Problem {
            path: self.path(),
            text: problem.to_owned(),
            known_fields: known.to_vec(),
        });
    }

    /// Reports a problem here. Returns `None`, for the value that cannot be built.
    pub(crate) fn refuse<T>(&self, problem: &str) -> Option<T> {
        self.report(problem);
        None
    }

    /// The JSON path, such as `rules[0].match`. That of the document is empty.
    pub(crate) fn path(&self) -> String {
        let mut path = self.outer.map(Self::path).unwrap_or_default();
        match self.step {
            Step::Document => {}
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Element(index) => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
        path
    }

    /// Builds the elements of the list in the field `name` of the object here, except those that have
    /// problems.
    pub(crate) fn build_list<W, T>(
        &self,
        name: &str,
        wires: Option<Vec<W>>,
        build: impl Fn(W, &Place<'_>) -> Option<T>,
    ) -> Vec<T> {
        let list = self.field(name);
        // A loop: `collect` would reuse the memory of the wires, which takes more code.
        let mut all = Vec::new();
        for (index, wire) in wires.unwrap_or_default().into_iter().enumerate() {
            if let Some(element) = build(wire, &list.element(index)) {
                all.push(element);
            }
        }
        all
    }
}
