//! Over which address families hosts are asked.

use crate::cli::DialogueArgs;
use crate::sender::AddressFamily;

/// The families in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Families {
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
    /// The one that nobody left out by an option, for want of a route.
    pub(super) without_route: Option<AddressFamily>,
}

/// Those that were named; where none was, those `with_route` (IPv4, IPv6).
pub(super) fn in_use(args: &DialogueArgs, with_route: impl FnOnce() -> (bool, bool)) -> Families {
    choose((args.ipv4, args.ipv6), with_route)
}

/// Neither option means both families, and so do both. With no route at all
/// there is nothing to choose: whatever is asked will say so.
fn choose(named: (bool, bool), with_route: impl FnOnce() -> (bool, bool)) -> Families {
    let of = |ipv4, ipv6, without_route| Families { ipv4, ipv6, without_route };
    if named != (false, false) {
        return of(named.0, named.1, None);
    }
    match with_route() {
        (true, false) => of(true, false, Some(AddressFamily::Ipv6)),
        (false, true) => of(false, true, Some(AddressFamily::Ipv4)),
        (true, true) | (false, false) => of(true, true, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_without_a_route_is_left_out_unless_it_is_named() {
        for (named, with_route, ipv4, ipv6, left_out) in [
            ((false, false), (true, true), true, true, None),
            ((false, false), (true, false), true, false, Some(AddressFamily::Ipv6)),
            ((false, false), (false, true), false, true, Some(AddressFamily::Ipv4)),
            ((false, false), (false, false), true, true, None),
            ((true, true), (true, false), true, true, None),
            ((false, true), (true, false), false, true, None),
            ((true, false), (false, true), true, false, None),
        ] {
            let families = choose(named, || with_route);
            let expected = Families { ipv4, ipv6, without_route: left_out };
            assert_eq!(families, expected, "{named:?} {with_route:?}");
        }
    }
}
