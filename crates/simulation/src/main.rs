//! `simulate`: runs random stories until one breaks a promise.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for the terminal, which chooses fresh seeds and stops in time"
)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use gate_simulation::{Failure, run};
use lexopt::prelude::*;

const USAGE: &str = "usage: simulate [--seeds N] [--seconds S] [--first SEED] [--seed SEED]
  --seeds N      runs N stories (default 10000)
  --seconds S    stops after S seconds
  --first SEED   the first seed; the others follow it (default: a fresh one)
  --seed SEED    runs one story and prints it";

struct Arguments {
    seeds: u64,
    time: Option<Duration>,
    first: Option<u64>,
    one: Option<u64>,
}

fn arguments() -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments {
        seeds: 10_000,
        time: None,
        first: None,
        one: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seeds") => arguments.seeds = parser.value()?.parse()?,
            Long("seconds") => arguments.time = Some(Duration::from_secs(parser.value()?.parse()?)),
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
            eprintln!("simulate: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // A panic in a story is reported with the story.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = arguments.one {
        return match run(seed) {
            Ok(()) => {
                println!("seed {seed}: every promise was kept");
                ExitCode::SUCCESS
            }
            Err(failure) => report(&failure),
        };
    }
    let first = arguments.first.unwrap_or_else(fresh_seed);
    println!("stories from seed {first} on");
    let (ran, failure, took) = run_all(first, &arguments);
    if let Some(failure) = failure {
        println!("{ran} stories ran");
        return report(&failure);
    }
    let took = took.as_secs();
    println!("{ran} stories kept every promise ({took} s)");
    ExitCode::SUCCESS
}

/// Runs stories on all cores. Returns how many ran, the one with the smallest seed that failed, and how long it took.
///
/// Seeds are handed out in order, and a story that has begun is played to its end. So the same seeds always end
/// with the same failure.
fn run_all(first: u64, arguments: &Arguments) -> (u64, Option<Failure>, Duration) {
    let start = Instant::now();
    let next = AtomicU64::new(0);
    let ran = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let failure: Mutex<Option<Failure>> = Mutex::new(None);
    let in_time = || arguments.time.is_none_or(|time| start.elapsed() < time);
    let work = || {
        while !stop.load(Ordering::Relaxed) && in_time() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.seeds {
                return;
            }
            let result = run(first.wrapping_add(number));
            ran.fetch_add(1, Ordering::Relaxed);
            if let Err(found) = result {
                stop.store(true, Ordering::Relaxed);
                if let Ok(mut failure) = failure.lock()
                    && failure
                        .as_ref()
                        .is_none_or(|failure| found.seed < failure.seed)
                {
                    *failure = Some(found);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let failure = failure.into_inner().unwrap_or_default();
    (ran.into_inner(), failure, start.elapsed())
}

/// A seed that no earlier run used.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since
        .map_or(1, |since| since.as_secs())
        .saturating_mul(1_000_000)
}

fn report(failure: &Failure) -> ExitCode {
    println!("{}", failure.story);
    println!("seed {} broke a promise: {}", failure.seed, failure.problem);
    println!("make simulate SEED={} replays it", failure.seed);
    ExitCode::FAILURE
}
