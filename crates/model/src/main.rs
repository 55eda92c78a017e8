//! `check-model`: compares the filter with its model until they disagree.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for the terminal, which chooses fresh seeds and measures its time"
)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use gate_model::{Disagreement, REQUESTS, Tally, check};
use lexopt::prelude::*;

const USAGE: &str = "usage: check-model [--cases N] [--first SEED] [--seed SEED]
  --cases N      compares N cases, rounded up to whole configurations (default 100000)
  --first SEED   the first seed; the others follow it (default: a fresh one)
  --seed SEED    compares the cases of one seed";

/// How many disagreements are shown.
const MOST_SHOWN: usize = 5;

/// Below this number of cases not every reason need occur.
const ENOUGH_FOR_ALL_REASONS: u64 = 200_000;

struct Arguments {
    cases: u64,
    first: Option<u64>,
    one: Option<u64>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments {
        cases: 100_000,
        first: None,
        one: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("cases") => arguments.cases = parser.value()?.parse()?,
            Long("first") => arguments.first = Some(parser.value()?.parse()?),
            Long("seed") => arguments.one = Some(parser.value()?.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("check-model: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // A panic is reported with the case.
    std::panic::set_hook(Box::new(|_| {}));
    let start = Instant::now();
    let (first, cases) = match arguments.one {
        Some(seed) => (seed, 1),
        None => (arguments.first.unwrap_or_else(fresh_seed), arguments.cases),
    };
    let (tally, found) = check_all(first, cases);
    let seconds = start.elapsed().as_secs();
    print!("{tally}");
    println!("from seed {first} on, in {seconds} s");
    for (compared, disagreement) in found.iter().take(MOST_SHOWN) {
        println!("\nAfter {compared} cases: {disagreement}");
    }
    if !found.is_empty() {
        println!(
            "\nThe filter and the model disagree on {} seeds.",
            found.len()
        );
        return ExitCode::FAILURE;
    }
    let unseen = tally.unseen_reasons();
    if arguments.one.is_none() && tally.cases >= ENOUGH_FOR_ALL_REASONS && !unseen.is_empty() {
        println!("These reasons did not occur: {unseen:?}");
        return ExitCode::FAILURE;
    }
    println!("The filter and the model agree.");
    ExitCode::SUCCESS
}

/// A disagreement, and after how many cases it was found.
type Found = (u64, Box<Disagreement>);

/// Checks cases on all cores, until there are enough disagreements.
fn check_all(first: u64, cases: u64) -> (Tally, Vec<Found>) {
    let requests = u64::try_from(REQUESTS).unwrap_or(1);
    let next = AtomicU64::new(0);
    let compared = AtomicU64::new(0);
    let sum = Mutex::new(Tally::default());
    let found: Mutex<Vec<Found>> = Mutex::default();
    let is_done = || {
        let enough = found.lock().is_ok_and(|found| found.len() >= MOST_SHOWN);
        enough || compared.load(Ordering::Relaxed) >= cases
    };
    let work = || {
        let mut tally = Tally::default();
        while !is_done() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let before = tally.configurations;
            if let Err(disagreement) = check(first.wrapping_add(number), &mut tally)
                && let Ok(mut found) = found.lock()
            {
                found.push((compared.load(Ordering::Relaxed), disagreement));
            }
            if tally.configurations > before || cases <= 1 {
                compared.fetch_add(requests, Ordering::Relaxed);
            }
        }
        if let Ok(mut sum) = sum.lock() {
            sum.add(&tally);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads.min(usize::try_from(cases).unwrap_or(1)) {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(compared, _)| *compared);
    (sum.into_inner().unwrap_or_default(), found)
}

/// A seed that no earlier run used.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since
        .map_or(1, |since| since.as_secs())
        .saturating_mul(1_000_000)
}
