//! The outer shell of a deb: an `ar` archive with three members.

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// A member's name and bytes.
pub(super) type Member<'a> = (&'a str, &'a [u8]);

/// Every member, in order.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, String> {
    let mut rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("it does not begin as an ar archive does")?;
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (header, body) = rest
            .split_at_checked(HEADER)
            .ok_or("it ends in the middle of a member's header")?;
        if !header.ends_with(b"`\n") {
            return Err("a member's header is damaged".to_owned());
        }
        let text = |range| std::str::from_utf8(&header[range]).map(str::trim_end);
        let name = text(0..16).map_err(|_| "a member's name is not text")?;
        let size = text(48..58)
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok())
            .ok_or_else(|| format!("the size of member `{name}` is not a number"))?;
        let (content, after) = body
            .split_at_checked(size)
            .ok_or_else(|| format!("member `{name}` claims {size} bytes and there are fewer"))?;
        members.push((name.trim_end_matches('/'), content));
        // Members begin at even positions.
        rest = match size % 2 {
            1 => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::deb::testing::ar;

    #[test]
    fn members_come_back_in_order() {
        let bytes = ar(&[("odd", b"123"), ("even", b"12"), ("empty", b"")]);
        let found = members(&bytes).unwrap();
        assert_eq!(
            found,
            [
                ("odd", &b"123"[..]),
                ("even", &b"12"[..]),
                ("empty", &b""[..])
            ]
        );
    }

    #[test]
    fn every_shortened_archive_is_refused_or_shorter() {
        let bytes = ar(&[("one", b"123"), ("two", b"12")]);
        for length in 0..bytes.len() {
            match members(&bytes[..length]) {
                Ok(members) => assert!(members.len() < 2, "{length}"),
                Err(reason) => assert!(!reason.is_empty()),
            }
        }
    }
}
