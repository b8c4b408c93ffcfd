//! Which memory a reverse-mode derivative may release.
//!
//! The driver puts off what Enzyme releases until the derivative is done (`deferred.rs` there), in a list that also has a note
//! of each allocation that the primal made, and of each that it dropped. What it made and did not drop belongs to somebody else
//! by now: a result, a log, a cache. What it dropped and did not make was somebody else's, and Enzyme does not release it.

use core::ptr::null_mut;

/// A node of the driver's list.
#[repr(C)]
struct Node {
    next: *mut Node,
    pointer: *mut u8,
    size: usize,
    /// 0 in a note of what was allocated, with [`DROPPED`] in one of what was dropped.
    align: usize,
}

/// Set in the alignment of what was dropped.
const DROPPED: usize = 1 << (usize::BITS - 1);

impl Node {
    fn is_allocated(&self) -> bool {
        self.align == 0
    }

    fn is_dropped(&self) -> bool {
        self.align & DROPPED != 0
    }

    fn is_released(&self) -> bool {
        !self.is_allocated() && !self.is_dropped()
    }

    /// Whether it releases the block that it is in, with other nodes.
    fn is_block(&self) -> bool {
        core::ptr::addr_eq(self.pointer, self)
    }

    /// 1 for what was allocated, -1 for what was dropped, 0 for what is to be released.
    fn balance(&self) -> isize {
        isize::from(self.is_allocated()) - isize::from(self.is_dropped())
    }
}

/// Makes notes of the nodes that must not be released, and the other way round; returns the list, perhaps in another order.
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
        blocks_last(list)
    }
}

/// Moves the nodes that release blocks of nodes to the end.
unsafe fn blocks_last(mut list: *mut Node) -> *mut Node {
    let (mut others, mut blocks) = (null_mut(), null_mut());
    let (mut others_end, mut blocks_end) = (&raw mut others, &raw mut blocks);
    // SAFETY: the caller's contract; each end is where the next node's address goes.
    unsafe {
        while let Some(node) = list.as_mut() {
            list = node.next;
            let end = match node.is_block() {
                true => &mut blocks_end,
                false => &mut others_end,
            };
            **end = &raw mut *node;
            *end = &raw mut node.next;
        }
        *blocks_end = null_mut();
        *others_end = blocks;
    }
    others
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
        let balance: isize = group().map(|node| node.balance()).sum();
        if balance > 0 {
            group().for_each(|node| node.align = 0);
        } else if balance < 0
            && !group().any(|node| node.is_released())
            && let Some(dropped) = group().find(|node| node.is_dropped())
        {
            dropped.align &= !DROPPED;
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
            let kept = nodes(settled).filter(|node| node.is_released());
            let mut addresses = [None; N];
            for (place, node) in addresses.iter_mut().zip(kept) {
                *place = Some(node.pointer.addr());
            }
            addresses
        };
        settled.into_iter().flatten()
    }

    const ALLOCATED: usize = 0;

    #[test]
    fn what_was_dropped_is_released_and_shadows_are() {
        let list = [
            (80, 8, 8),
            (64, 8, 8),
            (80, 8, 8 | DROPPED),
            (80, 0, ALLOCATED),
        ];
        assert!(released(list).eq([80, 64]));
    }

    #[test]
    fn what_was_given_away_is_not_released_and_what_was_taken_is() {
        let list = [
            (96, 8, 8),
            (64, 8, 8),
            (80, 8, 8),
            (16, 8, 8 | DROPPED),
            (32, 8, 8 | DROPPED),
            (32, 8, 8),
            (96, 8, 8 | DROPPED),
            (80, 0, ALLOCATED),
            (96, 0, ALLOCATED),
        ];
        assert!(released(list).eq([16, 32, 64, 96]));
    }

    #[test]
    fn blocks_of_nodes_are_released_last() {
        let node = |align| Node {
            next: null_mut(),
            pointer: core::ptr::without_provenance_mut(usize::MAX),
            size: 8,
            align,
        };
        let mut block = [node(8), node(ALLOCATED), node(8)];
        let start = &raw mut block;
        block[0].pointer = start.cast();
        block[2].next = &raw mut block[1];
        block[1].next = &raw mut block[0];
        // SAFETY: the nodes are this function's own.
        let settled =
            unsafe { nodes(__oxide_enzyme_settle(&raw mut block[2])).map(|node| node.align) };
        assert!(settled.eq([0, 0, 8]));
    }
}
