//! The rate limiter beside the `governor` crate: CPU time of a check with one key, ten thousand and a million, on two
//! threads, and what a key costs in memory. Each table is measured in a process of its own, so that neither lives in the
//! memory of the other.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::process::Command;

use gatewright::{Config, Limiter, Rate};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::shared::{ask, microseconds, router};
use crate::timing::cpu;

const THREADS: usize = 2;
/// Checks of each thread in a turn.
const CHECKS: usize = 500_000;
const TURNS: usize = 5;
/// Addresses that are met once each.
const SPOOFED: usize = 1_000_000;
/// As fast as a rate can be: a check that refuses is another than one that passes.
const LIMIT: u32 = 4_000_000_000;

/// Prints the figures.
///
/// # Errors
/// A process of its own cannot be started, or does not say its figures.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("one check, ns of CPU, {THREADS} threads; memory of a key, bytes");
    println!("  {:>9} {:>12} {:>12} {:>7} {:>12} {:>12}", "keys", "ours", "governor", "ratio", "ours", "governor");
    for keys in [1, 10_000, 1_000_000] {
        let mut least = [(f64::INFINITY, f64::INFINITY); 2];
        for _ in 0..TURNS {
            for (which, least) in ["ours", "governor"].into_iter().zip(&mut least) {
                let (time, memory) = apart(which, keys)?;
                *least = (least.0.min(time), least.1.min(memory));
            }
        }
        let [(ours, our_bytes), (theirs, their_bytes)] = least;
        let bytes = |bytes: f64| if keys < 10_000 { String::new() } else { format!("{bytes:.0}") };
        println!(
            "  {keys:>9} {ours:>12.0} {theirs:>12.0} {:>7.2} {:>12} {:>12}",
            ours / theirs,
            bytes(our_bytes),
            bytes(their_bytes)
        );
    }
    spoofed()
}

/// What a caller notices of somebody who comes from a new address with each request: the time of his own requests, in process,
/// before and among those of a million addresses.
fn spoofed() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
        let mut router = router(Config::new())?;
        let own = IpAddr::from([127, 0, 0, 1]);
        let (mut alone, mut among) = (Vec::new(), Vec::new());
        for _ in 0..SPOOFED / 10 {
            alone.push(ask(&mut router, own).await?.0);
        }
        for n in 0..SPOOFED {
            ask(&mut router, address(n)).await?;
            if n % 10 == 0 {
                let (time, status) = ask(&mut router, own).await?;
                assert!(status.is_success(), "nobody is limited here");
                among.push(time);
            }
        }
        let (alone, among) = (microseconds(alone, 0.5), microseconds(among, 0.5));
        println!(
            "a caller's request, p50: {alone:.2} µs, among {SPOOFED} addresses {among:.2} µs, ratio {:.2}",
            among / alone
        );
        Ok(())
    })
}

/// The figures of one table, from a process of its own.
fn apart(which: &str, keys: usize) -> Result<(f64, f64), Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args(["limits-of", which, &keys.to_string()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (time, memory) = text.trim().split_once(' ').ok_or("two figures")?;
    Ok((time.parse()?, memory.parse()?))
}

/// What such a process does: prints nanoseconds a check, and bytes a key.
///
/// # Errors
/// The arguments are not what [`measure`] gives.
pub(crate) fn one() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(2);
    let which = arguments.next().ok_or("which?")?;
    let keys: usize = arguments.next().ok_or("how many keys?")?.parse()?;
    let limit = NonZeroU32::new(LIMIT).ok_or("a limit")?;
    let before = resident()?;
    let (time, after) = match which.as_str() {
        "ours" => {
            // As many as a server keeps room for by default, or more.
            let limiter = Limiter::new(Rate { limit: LIMIT, window: 60, burst: LIMIT }, keys.max(1 << 20) * 2);
            run(keys, |address| limiter.pass(address))?
        }
        "governor" => {
            let limiter: DefaultKeyedRateLimiter<IpAddr> = RateLimiter::keyed(Quota::per_minute(limit));
            run(keys, |address| limiter.check_key(&address).is_ok())?
        }
        other => return Err(format!("`{other}` is no limiter").into()),
    };
    println!("{time} {}", (after - before) / keys as f64);
    Ok(())
}

/// Nanoseconds of CPU a check, and the memory of the process once all keys were met.
fn run(keys: usize, pass: impl Fn(IpAddr) -> bool + Sync) -> Result<(f64, f64), Box<dyn Error>> {
    // Every key once.
    for n in 0..keys {
        pass(address(n));
    }
    let after = resident()?;
    let pass = &pass;
    let spent: Vec<f64> = std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|thread| {
            scope.spawn(move || {
                let mut place = thread * 7919;
                let began = cpu();
                for _ in 0..CHECKS {
                    // A prime step meets all keys, and no two in a row lie together.
                    place = (place + 611_953) % keys;
                    assert!(pass(address(place)), "nobody is limited here");
                }
                cpu() - began
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    if spent.len() < THREADS {
        return Err("a check was refused".into());
    }
    Ok((spent.iter().sum::<f64>() / (THREADS * CHECKS) as f64, after))
}

/// The address of this number: all over the range, as those of real callers are.
fn address(n: usize) -> IpAddr {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    IpAddr::V4(Ipv4Addr::from(n.wrapping_mul(0x9E37_79B1)))
}

/// Resident memory of this process in bytes.
fn resident() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
