//! Pages of rows: a cursor names the last row seen, so rows that arrive meanwhile shift nothing.

use adcp_core::AdcpError;
use adcp_types::core::{PaginationRequest, PaginationResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Rows on a page unless the buyer says otherwise.
const USUAL: usize = 50;
/// Rows on a page at most.
const MOST: usize = 100;

/// Where a row stands in its list: what it is sorted by, then its serial number, which no other row has.
pub(crate) type Place = (String, u64);

/// Which way a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// Cuts the asked page out of all `rows`, which are put in order by their place.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    place: impl Fn(&T) -> Place,
    direction: Direction,
    asked: Option<&PaginationRequest>,
) -> Result<(Vec<T>, PaginationResponse), AdcpError> {
    rows.sort_by_cached_key(&place);
    if direction == Direction::Down {
        rows.reverse();
    }
    if let Some(cursor) = asked.and_then(|asked| asked.cursor.as_deref()) {
        let last = read(cursor).ok_or_else(|| {
            AdcpError::invalid_request("pagination.cursor", "this cursor was not issued here")
                .with_suggestion("send the cursor of the previous page unchanged, or none to begin again")
        })?;
        let seen = |row: &T| match direction {
            Direction::Up => place(row) <= last,
            Direction::Down => place(row) >= last,
        };
        rows.drain(..rows.partition_point(seen));
    }
    let size = asked.and_then(|asked| asked.max_results).and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(USUAL).clamp(1, MOST);
    let more = rows.len() > size;
    rows.truncate(size);
    let mut response = PaginationResponse::new(more);
    if more {
        response.cursor = rows.last().map(|row| write(&place(row)));
    }
    Ok((rows, response))
}

fn write((text, serial): &Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{serial}:{text}"))
}

fn read(cursor: &str) -> Option<Place> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (serial, text) = plain.split_once(':')?;
    Some((text.to_owned(), serial.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(size: i64, cursor: Option<String>) -> PaginationRequest {
        let mut asked = PaginationRequest::new();
        (asked.max_results, asked.cursor) = (Some(size), cursor);
        asked
    }

    fn place(row: &(&str, u64)) -> Place {
        (row.0.to_owned(), row.1)
    }

    #[test]
    fn pages_do_not_shift_when_rows_arrive() {
        for direction in [Direction::Up, Direction::Down] {
            let mut rows = vec![("b", 1), ("a", 2), ("d", 3), ("c", 4), ("a", 5)];
            let (first, page_one) = page(rows.clone(), place, direction, Some(&ask(2, None))).unwrap();
            assert!(page_one.has_more);
            rows.extend([("aa", 6), ("dd", 7), ("a", 8)]);
            let (second, _) = page(rows.clone(), place, direction, Some(&ask(9, page_one.cursor))).unwrap();
            for row in [("b", 1), ("a", 2), ("d", 3), ("c", 4), ("a", 5)] {
                let seen = first.iter().chain(&second).filter(|seen| **seen == row).count();
                assert_eq!(seen, 1, "{row:?} {direction:?}");
            }
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let (rows, last) = page(vec![("a", 1), ("b", 2)], place, Direction::Up, Some(&ask(2, None))).unwrap();
        assert_eq!((rows.len(), last.has_more, last.cursor), (2, false, None));
    }

    #[test]
    fn sizes_are_bounded_and_cursors_are_ours() {
        let rows: Vec<(&str, u64)> = (0..200).map(|serial| ("a", serial)).collect();
        let len = |asked: Option<&PaginationRequest>| {
            page(rows.clone(), place, Direction::Up, asked).unwrap().0.len()
        };
        assert_eq!((len(None), len(Some(&ask(5000, None)))), (50, 100));
        let wrong = page(rows.clone(), place, Direction::Up, Some(&ask(1, Some("!".into())))).unwrap_err();
        assert_eq!(wrong.field(), Some("pagination.cursor"));
    }
}
