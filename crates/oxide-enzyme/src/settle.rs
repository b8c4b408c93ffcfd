//! Which memory a reverse-mode derivative may release.
//!
//! The driver puts off what Enzyme releases until the derivative is done (`deferred.rs` there), in a list that also has a note
//! of each allocation that the primal made, and of each that it dropped. What it made and did not drop belongs to somebody else
//! by now: a result, a log, a cache.

use core::ptr::null_mut;

/// A node of the driver's list.
#[repr(C)]
struct Node {
    next: *mut Node,
    pointer: *mut u8,
    /// Of what is to be released; of a note, [`ALLOCATED`] or [`DROPPED`].
    size: usize,
    /// 0 in a note.
    align: usize,
}

const ALLOCATED: usize = 1;
const DROPPED: usize = usize::MAX;

impl Node {
    /// 1 for what was allocated, -1 for what was dropped, 0 for what is to be released.
    fn balance(&self) -> isize {
        match (self.align, self.size) {
            (0, ALLOCATED) => 1,
            (0, DROPPED) => -1,
            _ => 0,
        }
    }
}

/// Makes notes of the nodes that must not be released, and returns the list, perhaps in another order.
///
/// # Safety
/// The nodes must be in use by nobody else.
#[unsafe(no_mangle)]
unsafe extern "C" fn __oxide_enzyme_settle(list: *mut Node) -> *mut Node {
    // SAFETY: this function's contract.
    unsafe {
        if is_even(list) {
            return list;
        }
        let list = sort(list, length(list));
        let mut start = list;
        while !start.is_null() {
            start = settle_one(start);
        }
        list
    }
}

/// Whether the primal dropped just what it allocated: as many, and the same addresses, by the sum of what they are hashed to.
unsafe fn is_even(list: *mut Node) -> bool {
    let hash = |pointer: *mut u8| {
        let scattered = (pointer.addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        scattered ^ (scattered >> 29)
    };
    let (mut count, mut sum) = (0, 0u64);
    // SAFETY: the caller's contract.
    for node in unsafe { nodes(list) } {
        let balance = node.balance();
        count += balance;
        sum = sum.wrapping_add(hash(node.pointer).wrapping_mul(balance as u64));
    }
    (count, sum) == (0, 0)
}

/// Settles the nodes of one address, which `start` is the first of, and returns the next address's first node.
unsafe fn settle_one(start: *mut Node) -> *mut Node {
    // SAFETY: the caller's contract; `start` is a node.
    unsafe {
        let address = (*start).pointer;
        let group = || nodes(start).take_while(|node| node.pointer == address);
        if group().map(|node| node.balance()).sum::<isize>() > 0 {
            group().for_each(|node| node.align = 0);
        }
        let last = group().last();
        last.map_or(null_mut(), |node| node.next)
    }
}

unsafe fn length(list: *mut Node) -> usize {
    // SAFETY: the caller's contract.
    unsafe { nodes(list) }.count()
}

/// The nodes of a list, one at a time.
unsafe fn nodes<'n>(mut list: *mut Node) -> impl Iterator<Item = &'n mut Node> {
    core::iter::from_fn(move || {
        // SAFETY: the caller's contract; a node is looked at before the next one is asked for.
        let node = unsafe { list.as_mut() }?;
        list = node.next;
        Some(node)
    })
}

/// Sorts the first `count` nodes by address, and cuts them off from the rest.
unsafe fn sort(list: *mut Node, count: usize) -> *mut Node {
    // SAFETY: the caller's contract: there are as many nodes.
    unsafe {
        if count < 2 {
            if let Some(node) = list.as_mut() {
                node.next = null_mut();
            }
            return list;
        }
        let half = count / 2;
        let mut second = list;
        for _ in 0..half {
            second = (*second).next;
        }
        let second = sort(second, count - half);
        merge(sort(list, half), second)
    }
}

unsafe fn merge(mut first: *mut Node, mut second: *mut Node) -> *mut Node {
    let mut merged = null_mut();
    let mut end = &raw mut merged;
    // SAFETY: the caller's contract; `end` is where the next node's address goes.
    unsafe {
        while !first.is_null() && !second.is_null() {
            let smaller = match (*first).pointer <= (*second).pointer {
                true => &mut first,
                false => &mut second,
            };
            let node = *smaller;
            *smaller = (*node).next;
            *end = node;
            end = &raw mut (*node).next;
        }
        *end = if first.is_null() { second } else { first };
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is released of a list of addresses, each with size and alignment.
    fn released<const N: usize>(
        entries: [(usize, usize, usize); N],
    ) -> impl Iterator<Item = usize> {
        let mut list = entries.map(|(address, size, align)| Node {
            next: null_mut(),
            pointer: core::ptr::without_provenance_mut(address),
            size,
            align,
        });
        for index in 1..N {
            list[index - 1].next = &raw mut list[index];
        }
        // SAFETY: the nodes are this function's own.
        let settled = unsafe {
            let settled = __oxide_enzyme_settle(&raw mut list[0]);
            let kept = nodes(settled).filter(|node| node.align != 0);
            let mut addresses = [None; N];
            for (place, node) in addresses.iter_mut().zip(kept) {
                *place = Some(node.pointer.addr());
            }
            addresses
        };
        settled.into_iter().flatten()
    }

    #[test]
    fn what_was_dropped_is_released_and_shadows_are() {
        let list = [(80, 8, 8), (64, 8, 8), (80, DROPPED, 0), (80, ALLOCATED, 0)];
        assert!(released(list).eq([80, 64]));
    }

    #[test]
    fn what_was_given_away_is_not_released() {
        let list = [
            (96, 8, 8),
            (64, 8, 8),
            (80, 8, 8),
            (16, DROPPED, 0),
            (96, DROPPED, 0),
            (80, ALLOCATED, 0),
            (96, ALLOCATED, 0),
        ];
        assert!(released(list).eq([64, 96]));
    }
}
