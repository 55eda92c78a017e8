//! The name of a requirement in the metadata of a route.
//!
//! The metadata names one requirement, and every filter on the way of the request looks it up. Where the filters require
//! different things, they get a common name for them.

use super::chosen::{Choice, RouteChoices};
use super::native_filters::NativeFilters;

/// A requirement of a filter under a name that several filters have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommonName {
    pub(super) name: String,
    /// The requirement of this filter; `None` if it requires nothing.
    pub(super) requirement: Option<String>,
}

/// How routes name requirements.
#[derive(Clone, Copy)]
pub(super) struct RequirementNames<'f> {
    pub(super) filters: &'f NativeFilters,
    pub(super) choices: &'f RouteChoices,
}

impl RequirementNames<'_> {
    /// The name for a route that chooses this. `None` if it chooses nothing.
    ///
    /// # Errors
    ///
    /// No name can mean this.
    pub(super) fn of_route(self, choices: &[Choice]) -> Result<Option<String>, &'static str> {
        let Some(first) = choices.first() else {
            return Ok(None);
        };
        let members = self.members(choices)?;
        let requirements = members.iter().map(|(_, requirement)| *requirement);
        if requirements
            .clone()
            .all(|requirement| requirement == Some(&*first.requirement))
        {
            return Ok(Some(first.requirement.clone()));
        }
        let parts: Vec<&str> = requirements
            .map(|requirement| requirement.unwrap_or("none"))
            .collect();
        Ok(Some(parts.join("+")))
    }

    /// The requirements that the filter needs under common names.
    pub(super) fn common_names(self, filter: &str) -> Vec<CommonName> {
        let mut names: Vec<CommonName> = Vec::new();
        for choices in &self.choices.routes {
            let (Ok(Some(name)), Ok(members)) = (self.of_route(choices), self.members(choices))
            else {
                continue;
            };
            let Some((_, requirement)) = members.iter().find(|(member, _)| *member == filter)
            else {
                continue;
            };
            let common = CommonName {
                requirement: (*requirement).map(str::to_owned),
                name,
            };
            if common.requirement.as_ref() != Some(&common.name) && !names.contains(&common) {
                names.push(common);
            }
        }
        names
    }

    /// The filters that look at the metadata of a route that chooses this, in the order of their names, and what each
    /// requires there.
    fn members<'c>(
        &self,
        choices: &'c [Choice],
    ) -> Result<Vec<(&'c str, Option<&'c str>)>, &'static str>
    where
        Self: 'c,
    {
        let mut members: Vec<(&str, Option<&str>)> = choices
            .iter()
            .map(|choice| (&*choice.filter, Some(&*choice.requirement)))
            .collect();
        let chosen = |name: &str| choices.iter().any(|choice| choice.filter == name);
        let all = &self.filters.all;
        let lists: Vec<usize> = all
            .iter()
            .filter(|filter| chosen(&filter.name))
            .filter_map(|filter| filter.list)
            .collect();
        for filter in all {
            let is_beside = filter.list.is_some_and(|list| lists.contains(&list));
            let is_member = members.iter().any(|(name, _)| *name == filter.name);
            if !is_beside || is_member || filter.is_off_by_default || !self.reads(&filter.name) {
                continue;
            }
            if filter.has_rules {
                return Err(
                    "another jwt_authn filter beside the one that this route chooses of applies its own rules here, and \
                     the gate in its place would look for the requirement that the route names: choose a requirement \
                     of both filters",
                );
            }
            members.push((&filter.name, None));
        }
        let differs = members.windows(2).any(|pair| match pair {
            [(_, one), (_, other)] => one != other,
            _ => false,
        });
        if differs && !members.iter().all(|(name, _)| self.filters.contains(name)) {
            return Err(
                "several jwt_authn filters have different requirements for this route, and its metadata names one for \
                 all of them: give the requirements one name in both filters, or convert the filters and the routes in \
                 one file",
            );
        }
        members.sort_by_key(|(name, _)| *name);
        Ok(members)
    }

    /// Whether routes choose of the filter of this name, here or elsewhere.
    fn reads(&self, name: &str) -> bool {
        let choices = self.choices;
        let mut filters = self.filters.all.iter();
        choices.named.iter().any(|one| one == name)
            || choices.disabled.iter().any(|one| one == name)
            || filters.any(|filter| filter.name == name && filter.has_unnamed_requirements)
    }
}
