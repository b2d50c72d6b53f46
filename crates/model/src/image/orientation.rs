//! The EXIF orientation: how an image must be turned to be displayed upright.

/// An EXIF orientation from 2 to 8. Orientation 1, like a missing tag, means upright and is not represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Returns the number in the tag.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Returns whether width and height are swapped.
    pub fn swaps(self) -> bool {
        self.0 >= 5
    }

    /// Describes how the pixels lie in the file.
    pub fn describe(self) -> &'static str {
        match self.0 {
            2 => "mirrored",
            3 => "upside down",
            4 => "upside down and mirrored",
            5 | 7 => "on its side and mirrored",
            _ => "on its side",
        }
    }

    /// Reads the orientation from an EXIF block: an optional `Exif\0\0`, then a TIFF header whose first directory has
    /// the tag.
    pub fn read(block: &[u8]) -> Option<Self> {
        const TAG: u32 = 0x0112;
        // The integer types of TIFF. The standard says SHORT.
        const BYTE: u32 = 1;
        const SHORT: u32 = 3;
        const LONG: u32 = 4;
        let tiff = Tiff::new(block.strip_prefix(b"Exif\0\0").unwrap_or(block))?;
        let directory = usize::try_from(tiff.number(4, 4)?).ok()?;
        let entries = usize::try_from(tiff.number(directory, 2)?).ok()?;
        let entry = (0..entries)
            .filter_map(|index| directory.checked_add(2 + index * 12))
            .take_while(|entry| tiff.number(*entry, 2).is_some())
            .find(|entry| tiff.number(*entry, 2) == Some(TAG))?;
        let width = match tiff.number(entry + 2, 2)? {
            BYTE => 1,
            SHORT => 2,
            LONG => 4,
            _ => return None,
        };
        let count = tiff.number(entry + 4, 4)?;
        let number = u8::try_from(tiff.number(entry + 8, width)?).ok()?;
        (count == 1 && (2..=8).contains(&number)).then_some(Self(number))
    }
}

/// The bytes of a TIFF, and their byte order.
struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42, 0, ..] => Some(Self { bytes, little: true }),
            [b'M', b'M', 0, 42, ..] => Some(Self { bytes, little: false }),
            _ => None,
        }
    }

    /// Reads a number of 1, 2 or 4 bytes.
    fn number(&self, at: usize, width: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let add = |sum: u32, byte: &u8| (sum << 8) | u32::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }
}

#[cfg(test)]
mod tests {
    use super::Orientation;

    /// Creates a TIFF whose directory is at `directory`, with these entries: tag, type, count, value.
    fn tiff(little: bool, directory: u32, entries: &[(u16, u16, u32, &[u8])]) -> Vec<u8> {
        let two = |number: u16| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let four = |number: u32| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let mut out = [if little { *b"II" } else { *b"MM" }, two(42)].concat();
        out.extend(four(directory));
        out.resize(directory as usize, 0xee);
        out.extend(two(u16::try_from(entries.len()).unwrap()));
        for (tag, kind, count, value) in entries {
            out.extend([two(*tag), two(*kind)].concat());
            out.extend(four(*count));
            let mut value = value.to_vec();
            value.resize(4, 0);
            out.extend(value);
        }
        out
    }

    fn number(block: &[u8]) -> Option<u8> {
        Orientation::read(block).map(Orientation::number)
    }

    #[test]
    fn it_is_found_in_either_order_of_bytes_and_wherever_its_directory_stands() {
        for given in 0..=9_u8 {
            let expected = (2..=8).contains(&given).then_some(given);
            for directory in [8, 9, 5000] {
                let others: (u16, u16, u32, &[u8]) = (0x8769, 4, 1, b"\0\0\0\x10");
                let little = tiff(true, directory, &[others, (0x112, 3, 1, &[given, 0]), (0x100, 3, 1, &[1, 0])]);
                let big = tiff(false, directory, &[(0x112, 3, 1, &[0, given]), others]);
                for block in [little, big] {
                    assert_eq!(number(&block), expected);
                    assert_eq!(number(&[b"Exif\0\0".as_slice(), &block].concat()), expected);
                }
            }
        }
    }

    #[test]
    fn it_may_be_stored_as_another_whole_number() {
        assert_eq!(number(&tiff(true, 8, &[(0x112, 4, 1, &[6, 0, 0, 0])])), Some(6));
        assert_eq!(number(&tiff(false, 8, &[(0x112, 4, 1, &[0, 0, 0, 6])])), Some(6));
        assert_eq!(number(&tiff(false, 8, &[(0x112, 1, 1, &[6])])), Some(6));
        for (kind, count) in [(2, 1), (5, 1), (3, 2), (3, 0)] {
            assert_eq!(number(&tiff(true, 8, &[(0x112, kind, count, &[6, 0, 0, 0])])), None);
        }
    }

    #[test]
    fn nothing_is_read_beyond_the_block() {
        let whole = tiff(true, 8, &[(0x100, 3, 1, &[1, 0]), (0x112, 3, 1, &[6, 0])]);
        for end in 0..whole.len() - 2 {
            assert_eq!(number(&whole[..end]), None);
        }
        let mut far = whole.clone();
        far[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(number(&far), None);
        assert_eq!(number(b"no EXIF at all"), None);
    }

    #[test]
    fn only_5_to_8_swap_width_and_height() {
        let swaps = |given: u8| Orientation::read(&tiff(true, 8, &[(0x112, 1, 1, &[given])])).unwrap().swaps();
        assert_eq!((2..=8).map(swaps).collect::<Vec<_>>(), [false, false, false, true, true, true, true]);
    }
}
