//! Single byte ranges (RFC 9110, section 14).

use std::ops::Range;

/// The range that a `Range` header asks for, for an image of a given length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RangeRequest {
    /// The whole image: no range, or one that may be ignored.
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

impl RangeRequest {
    pub(crate) fn of(header: Option<&str>, len: u64) -> Self {
        let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Self::Whole };
        let Some((first, last)) = spec.split_once('-') else { return Self::Whole };
        let number = |text: &str| text.trim().parse::<u64>().ok();
        match (first.trim(), last.trim()) {
            ("", suffix) => match number(suffix) {
                Some(0) => Self::Unsatisfiable,
                Some(suffix) => Self::part(len.saturating_sub(suffix)..len, len),
                None => Self::Whole,
            },
            (first, "") => number(first).map_or(Self::Whole, |first| Self::part(first..len, len)),
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => Self::part(first..last.saturating_add(1).min(len), len),
                // Several ranges, or not a range at all.
                _ => Self::Whole,
            },
        }
    }

    fn part(range: Range<u64>, len: u64) -> Self {
        if range.start >= len { Self::Unsatisfiable } else { Self::Part(range) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, asked) in [
            (None, RangeRequest::Whole),
            (Some("bytes=0-"), RangeRequest::Part(0..10)),
            (Some("bytes=3-"), RangeRequest::Part(3..10)),
            (Some("bytes=3-5"), RangeRequest::Part(3..6)),
            (Some("bytes=3-99"), RangeRequest::Part(3..10)),
            (Some("bytes=-4"), RangeRequest::Part(6..10)),
            (Some("bytes=-99"), RangeRequest::Part(0..10)),
            (Some("bytes=10-"), RangeRequest::Unsatisfiable),
            (Some("bytes=-0"), RangeRequest::Unsatisfiable),
            (Some("bytes=5-3"), RangeRequest::Whole),
            (Some("bytes=0-1,3-4"), RangeRequest::Whole),
            (Some("lines=1-2"), RangeRequest::Whole),
        ] {
            assert_eq!(RangeRequest::of(header, 10), asked, "{header:?}");
        }
    }
}
