//! `bearer-gate-check` as operators and CI run it: exit status, messages, `--json`.

#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

#[cfg(test)]
mod command_line;
#[cfg(test)]
mod decision;
#[cfg(test)]
mod support;
#[cfg(test)]
mod validity;
