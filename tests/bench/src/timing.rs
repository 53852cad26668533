//! Times of short calls on a machine that others use too: CPU time of this thread, contenders in turns, and each turn's
//! ratio between neighbours in time. The median of those is the figure; the least time of a call stands beside it.

use rustix::time::{ClockId, clock_gettime};

/// How long one contender's share of a turn is, in nanoseconds.
const SHARE: u64 = 2_000_000;
/// How many turns there are.
const TURNS: usize = 151;

/// Something that is timed against others.
pub(crate) struct Contender<'a> {
    name: &'static str,
    call: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    /// The result of `call` is kept from being optimized away.
    pub(crate) fn new<T>(name: &'static str, mut call: impl FnMut() -> T + 'a) -> Contender<'a> {
        Contender { name, call: Box::new(move || drop(std::hint::black_box(call()))) }
    }

    /// Nanoseconds of a call, on average over `rounds`.
    fn time(&mut self, rounds: u64) -> f64 {
        let began = cpu();
        for _ in 0..rounds {
            (self.call)();
        }
        (cpu() - began) / rounds as f64
    }
}

/// Nanoseconds that this thread has had a processor for.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// What was found of one contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub(crate) name: &'static str,
    /// Nanoseconds of a call, the least of all turns.
    pub(crate) least: f64,
    /// Against the first contender, the median over all turns.
    pub(crate) ratio: f64,
}

/// Lets all take turns, and prints a line for each: nanoseconds, and the ratio to the first. With a second argument on
/// the command line only those whose names hold it do, for a profiler to look at; with a third they are called that
/// often and nothing is timed, for a tool that counts instructions and has no clock.
pub(crate) fn compare(mut contenders: Vec<Contender<'_>>) -> Vec<Timed> {
    if let Some(only) = std::env::args().nth(2) {
        contenders.retain(|contender| contender.name.contains(&only));
    }
    if let Some(often) = std::env::args().nth(3).and_then(|often| often.parse::<u64>().ok()) {
        for contender in &mut contenders {
            (0..often).for_each(|_| (contender.call)());
        }
        return Vec::new();
    }
    let rounds: Vec<u64> = contenders
        .iter_mut()
        .map(|contender| {
            contender.time(50);
            // A first guess; more exact is not needed.
            (SHARE / contender.time(200).max(1.0) as u64).max(1)
        })
        .collect();
    let turns: Vec<Vec<f64>> = (0..TURNS)
        .map(|_| contenders.iter_mut().zip(&rounds).map(|(contender, rounds)| contender.time(*rounds)).collect())
        .collect();
    let column = |of: &dyn Fn(&Vec<f64>) -> f64| {
        let mut all: Vec<f64> = turns.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let found = contenders.iter().enumerate().map(|(place, contender)| {
        let time = |turn: &Vec<f64>| turn.get(place).copied().unwrap_or(f64::NAN);
        let base = |turn: &Vec<f64>| turn.first().copied().unwrap_or(f64::NAN);
        let ratios = column(&|turn| time(turn) / base(turn));
        Timed {
            name: contender.name,
            least: column(&time).first().copied().unwrap_or(f64::NAN),
            ratio: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
        }
    });
    let found: Vec<Timed> = found.collect();
    for timed in &found {
        println!("  {:<44} {:>8.0} ns {:>7.2}", timed.name, timed.least, timed.ratio);
    }
    found
}
