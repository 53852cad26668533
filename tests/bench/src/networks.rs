//! What an allowlist costs a request: whether an address is in one of 4,096 networks that do not touch, against a list of
//! one network and against looking at the networks one by one. Addresses differ from call to call.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};

use gatewright::Ranges;
use ipnet::IpNet;

use crate::timing::{Contender, compare};

const NETWORKS: u32 = 4_096;

/// Every second /21 from 10.0.0.0 on.
fn network(n: u32) -> Result<IpNet, Box<dyn Error>> {
    Ok(IpNet::new(IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + n * 0x1000)), 21)?)
}

/// Addresses from here and there, half of them in the networks.
fn addresses() -> impl FnMut() -> IpAddr {
    let mut n = 0_u32;
    move || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + (n >> 8)))
    }
}

/// Prints the figures.
///
/// # Errors
/// A network is none, or the list finds other addresses than the networks one by one.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let all = (0..NETWORKS).map(network).collect::<Result<Vec<_>, _>>()?;
    let (one, many) = (Ranges::new(all.get(..1).unwrap_or_default()), Ranges::new(&all));
    let slow = |address: IpAddr| all.iter().any(|network| network.contains(&address));
    let mut next = addresses();
    let mut found = 0;
    for address in std::iter::repeat_with(&mut next).take(10_000) {
        if many.contains(address) != slow(address) {
            return Err(format!("{address}: the list and its networks do not agree").into());
        }
        found += u32::from(many.contains(address));
    }
    println!("an address in a list of networks; {found} of 10,000 are");
    let (mut a, mut b, mut c) = (addresses(), addresses(), addresses());
    compare(vec![
        Contender::new("one network", move || one.contains(a())),
        Contender::new("4,096 networks", move || many.contains(b())),
        Contender::new("4,096 networks, one by one", move || slow(c())),
        Contender::new("making an address", addresses()),
    ]);
    Ok(())
}
