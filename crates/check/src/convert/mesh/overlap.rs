//! Rules of which several may match one request, in an order in which the first that matches decides.

use super::request_match::RequestMatch;

/// The most sets of requests that are told apart.
const MOST: usize = 200;

/// The sets of requests that `matches` tell apart: the matches themselves and all their intersections, each before
/// those that cover it. So the first of them that a request matches is covered by every other one that it matches.
/// `None` if there are too many.
pub(super) fn cells(matches: impl IntoIterator<Item = RequestMatch>) -> Option<Vec<RequestMatch>> {
    let mut found: Vec<RequestMatch> = Vec::new();
    let mut pending: Vec<RequestMatch> = Vec::new();
    for new in matches {
        if !pending.contains(&new) {
            pending.push(new);
        }
    }
    pending.reverse();
    while let Some(new) = pending.pop() {
        if found.contains(&new) {
            continue;
        }
        for old in &found {
            if let Some(both) = old.and(&new)
                && both != *old
                && both != new
            {
                pending.push(both);
            }
        }
        found.push(new);
        if found.len() > MOST {
            return None;
        }
    }
    let mut ordered: Vec<RequestMatch> = Vec::new();
    while !found.is_empty() {
        let is_narrowest = |cell: &RequestMatch| {
            let mut others = found.iter();
            !others.any(|other| other != cell && cell.covers(other) && !other.covers(cell))
        };
        let next = found.iter().position(is_narrowest)?;
        let rest = found.iter().enumerate();
        let (next, rest): (Vec<_>, Vec<_>) = rest.partition(|(index, _)| *index == next);
        ordered.extend(next.into_iter().map(|(_, cell)| cell.clone()));
        found = rest.into_iter().map(|(_, cell)| cell.clone()).collect();
    }
    Some(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::mesh::path_pattern::PathPattern;

    fn on(path: PathPattern, methods: &[&str]) -> RequestMatch {
        let methods = methods.iter().map(|&method| method.to_owned());
        let methods: std::collections::BTreeSet<String> = methods.collect();
        RequestMatch {
            paths: [path].into(),
            methods: (!methods.is_empty()).then_some(methods),
            ..RequestMatch::default()
        }
    }

    fn prefix(path: &str) -> PathPattern {
        PathPattern::Prefix(path.to_owned())
    }

    #[test]
    fn a_narrow_match_comes_before_a_wide_one() {
        let wide = on(prefix("/"), &[]);
        let narrow = on(prefix("/a"), &[]);
        let all = cells([wide.clone(), narrow.clone()]).unwrap();
        assert_eq!(all, [narrow, wide]);
    }

    #[test]
    fn matches_that_cross_have_their_intersection_first() {
        let one = on(prefix("/a"), &[]);
        let two = on(prefix("/"), &["GET"]);
        let all = cells([one.clone(), two.clone()]).unwrap();
        assert_eq!(all, [on(prefix("/a"), &["GET"]), one, two]);
    }

    #[test]
    fn matches_without_common_requests_stay_in_their_order() {
        let one = on(prefix("/b"), &[]);
        let two = on(prefix("/a"), &[]);
        assert_eq!(cells([one.clone(), two.clone()]).unwrap(), [one, two]);
    }

    #[test]
    fn too_many_intersections_are_refused() {
        let ends = (0..12).map(|number| on(PathPattern::Regex(format!("/{number}.*")), &[]));
        assert_eq!(cells(ends), None);
    }
}
