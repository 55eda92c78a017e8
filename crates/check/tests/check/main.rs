//! `bearer-gate-check` as operators and CI run it: exit status, messages and `--json`.

#![expect(clippy::too_many_lines, reason = "a table of cases may be long")]

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod convert;
#[cfg(test)]
mod convert_gateway;
#[cfg(test)]
mod convert_gateway_model;
#[cfg(test)]
mod convert_istio;
#[cfg(test)]
mod convert_istio_model;
#[cfg(test)]
mod decision;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod mesh_support;
#[cfg(test)]
mod mint;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod support;
#[cfg(test)]
mod validity;
#[cfg(test)]
mod warnings;
